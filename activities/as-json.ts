import type { JsonObject } from '../storage/index.js';

/** A record as JSON has it: without what is undefined. */
export const asJson = (record: object): JsonObject => JSON.parse(JSON.stringify(record)) as JsonObject;

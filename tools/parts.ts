/** Everything that set-up knows how to bring, in the order in which it does. */
import type { Part } from './part.js';
import { s3Server } from './s3-server.js';
import { tensorflow } from './tensorflow.js';
import { temporalServer } from './temporal-server.js';

export const parts: readonly Part[] = [temporalServer, s3Server, tensorflow];

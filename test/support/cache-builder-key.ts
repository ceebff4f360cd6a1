/** The entry that cache-builder.ts provides. */
import type { CacheKey } from '../../tools/cache.js';

export const cacheBuilderKey: CacheKey = { part: 'sample', version: '1.0.0', digest: 'ab'.repeat(32) };

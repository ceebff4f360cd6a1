/** For rooms that keep records of their own: how they are written once or moved, read and laid out. Not part of the package. */
export { createOnce, movingFields, moveRecord, newOperationId, type MovingFields } from '../conditional.js';
export { inParallel } from '../parallel.js';
export { quarantine } from '../quarantine.js';
export { readUntilCertain, type Reading } from '../reading.js';
export {
  decodeRecord,
  encodeRecord,
  jsonSchema,
  readRecord,
  readSmall,
  type ReadRecord,
  type RecordKind,
} from '../record.js';
export { prefixes, segmentOf } from '../layout.js';

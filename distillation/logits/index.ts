/** Captured distributions of a teacher: written once, read by the sample and its tokens. */
export { captureRows } from './capture.js';
export { describeMass } from './captured-mass.js';
export { type NewLogitHeader } from './header.js';
export { openLogits, type Logits } from './logit-reader.js';
export { LogitWriter, type LogitWriterRequest } from './logit-writer.js';
export { type LogitRow } from './row.js';
export { rowKey, tokenHash } from './token-hash.js';

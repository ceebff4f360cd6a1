/** Captured distributions of a teacher: written once, read by the sample and its tokens. */
export { captureRow, captureRows } from './capture.js';
export { type NewLogitHeader } from './header.js';
export { openLogits, type LogitOptions, type Logits, type TeacherInputs } from './logit-reader.js';
export { LogitWriter, type LogitProgress, type LogitWriterRequest } from './logit-writer.js';
export { type LogitRow } from './row.js';

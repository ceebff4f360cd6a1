/** What the engine knows of files without any tensor, and no TensorFlow.js behind it. */
export { readParquetGroups } from '../data/parquet.js';
export { openTokenizer } from '../text/tokenizer.js';
export { syncDirectory, writeAtomically } from './atomic-file.js';
export { readModelConfig } from './model-config.js';
export { openModelDirectory } from './model-directory.js';
export { parameterCount } from './model-tensors.js';
export { narrow, widen } from './number-formats.js';

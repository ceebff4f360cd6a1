/** What the engine knows of files without any tensor, and no TensorFlow.js behind it. */
export { narrow, widen } from './number-formats.js';

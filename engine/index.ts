/** The engine: plain tfjs functions as compiled programs, language models, and what trains and runs them. */
export { compile, type CompileOptions, type ProgramSpec, type Session } from './compile.js';
export { kernelsRunner } from './runners/kernels.js';
export { processSettings, type ProcessSettings } from './runners/process-settings.js';
export { type Runner } from './runners/runner.js';
export { tensorflowRunner, type TensorflowOptions } from './runners/tensorflow.js';
export {
  trainBytePairTokenizer,
  writeTrainedTokenizer,
  type BytePairTraining,
  type TrainedTokenizer,
  type TrainingProgress,
} from './text/byte-pair-trainer.js';
export { tf } from './tf.js';
export { inBlock } from './tracing/current.js';
export { updateRows, type RowUpdate } from './tracing/row-update.js';
export { type TensorSpec } from './tracing/tensor-spec.js';
export { type ProgramFunction, type ProgramResult } from './tracing/trace.js';

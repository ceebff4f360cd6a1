/** The engine: plain tfjs functions as compiled programs, language models, and what trains and runs them. */
export { compile, type CompileOptions, type ProgramSpec, type Session } from './compile.js';
export { readConversations, type Conversation, type ConversationSettings } from './data/conversations.js';
export { readRows } from './data/rows.js';
export { openShards, type TokenShards } from './data/shard-reader.js';
export { writeShards, type ShardSettings } from './data/shards.js';
export {
  openModelDirectory,
  writeModelDirectory,
  type ModelDirectory,
  type ModelToWrite,
} from './files/model-directory.js';
export { type ModelConfig } from './files/model-config.js';
export { createGenerator, type Generator, type GeneratorOptions } from './generation/generator.js';
export { type GenerationEvent, type GenerationRequest, type Sampling } from './generation/request.js';
export { initialWeight, type Initialisation } from './models/initialise.js';
export { parameterCount } from './models/parameters.js';
export { studentOf, type LayerChoice, type Student } from './models/student.js';
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
export { openChatTemplate, type ChatTemplate } from './text/chat-template.js';
export { createConversationEncoder, type ConversationEncoderSettings } from './text/conversation-encoder.js';
export { openTokenizer, type Tokenizer } from './text/tokenizer.js';
export { tf } from './tf.js';
export { inBlock } from './tracing/current.js';
export { updateRows, type RowUpdate } from './tracing/row-update.js';
export { type TensorSpec } from './tracing/tensor-spec.js';
export { type ProgramFunction, type ProgramResult } from './tracing/trace.js';
export { type AdamWSettings } from './training/adamw.js';
export {
  labelsObjective,
  teacherObjective,
  teacherWeights,
  topKObjective,
  type Objective,
} from './training/objective.js';
export { measurePeakFlops } from './training/peak-flops.js';
export { type Schedule } from './training/schedule.js';
export { openTrainingState, writeTrainingState, type StoredState } from './training/state-file.js';
export { sampleSteps, type MicroBatch, type StepSource, type TrainingStep } from './training/step-source.js';
export { Trainer, type TrainerOptions } from './training/trainer.js';
export { type Evaluation, type StepEvent, type TrainingEvent } from './training/training-events.js';
export { type TrainingShape } from './training/training-programs.js';
export {
  parseProgress,
  type CapturedState,
  type Fingerprint,
  type StateProgress,
  type TrainingState,
} from './training/training-state.js';

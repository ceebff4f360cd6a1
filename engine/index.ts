/** The engine: plain tfjs functions as compiled programs, language models, and what trains and runs them. */

// Functions of tensors as programs that share state.
export { compile, type CompileOptions, type ProgramSpec, type Session } from './compile.js';
export { tf } from './tf.js';
export { inBlock } from './tracing/current.js';
export { type Numbers } from './tracing/program.js';
export { updateRows, type RowUpdate } from './tracing/row-update.js';
export { type TensorSpec } from './tracing/tensor-spec.js';
export { type Tensors } from './tracing/tensors.js';
export { type ProgramFunction, type ProgramResult, type TensorSpecs } from './tracing/trace.js';

// What runs programs.
export { kernelsRunner } from './runners/kernels.js';
export { libraryBuild } from './runners/library-build.js';
export { flagsToAdopt, numericFlags, withXlaCache } from './runners/numeric-flags.js';
export { processSettings, type ProcessSettings } from './runners/process-settings.js';
export { type NamedNumbers, type NumbersSource, type Runner } from './runners/runner.js';
export { tensorflowRunner, type TensorflowOptions } from './runners/tensorflow.js';

// Model directories as transformers reads and writes them.
export { readGenerationConfig, unheededSettings, type GenerationConfig } from './files/generation-config.js';
export { parseModelConfig, readModelConfig, type ModelConfig, type WeightFormat } from './files/model-config.js';
export {
  openModelDirectory,
  writeModelDirectory,
  type ModelDirectory,
  type ModelToWrite,
} from './files/model-directory.js';
export { parameterCount } from './files/model-tensors.js';
export { openSafetensors, type TensorSource } from './files/safetensors.js';
export { float32Tensor, writeSafetensors, type TensorToWrite } from './files/safetensors-writer.js';

// Models that begin: at random, or as layers of a teacher.
export { initialWeight, type Initialisation } from './models/initialise.js';
export { trainingFlopsPerToken } from './models/parameters.js';
export { studentOf, type LayerChoice, type Student } from './models/student.js';

// Text as tokens and back.
export {
  trainBytePairTokenizer,
  writeTrainedTokenizer,
  type BytePairTraining,
  type TrainedTokenizer,
  type TrainingProgress,
} from './text/byte-pair-trainer.js';
export { openChatTemplate, type ChatMessage, type ChatTemplate } from './text/chat-template.js';
export { createConversationEncoder, type ConversationEncoderSettings } from './text/conversation-encoder.js';
export { openTokenizer, type Tokenizer } from './text/tokenizer.js';

// Data: rows of files, conversations, tokens in shards, packed and shuffled steps.
export {
  readConversations,
  type Conversation,
  type ConversationCounts,
  type ConversationSettings,
} from './data/conversations.js';
export { countSteps } from './data/batches.js';
export { parseJsonlRows } from './data/jsonl.js';
export { type LengthPolicy } from './data/length-policy.js';
export { type Batch } from './data/packing.js';
export { type Row } from './data/row.js';
export { readRows } from './data/rows.js';
export { type ConversationEncoder, type EncodedConversation, type Sample, type SampleSource } from './data/samples.js';
export { openShards, type TokenShards } from './data/shard-reader.js';
export { writeShards, type ShardSettings } from './data/shards.js';
export {
  sampleSteps,
  type MicroBatch,
  type SampleStepSettings,
  type StepSource,
  type TrainingStep,
} from './training/step-source.js';

// Training, what it learns from, and its state.
export { type AdamWSettings } from './training/adamw.js';
export { type DistillationSettings, type TopKDistillationSettings } from './training/losses/distillation.js';
export { type Divergence } from './training/losses/divergence.js';
export { type MissingMass } from './training/losses/missing-mass.js';
export {
  labelsObjective,
  teacherObjective,
  teacherWeights,
  topKObjective,
  type Objective,
} from './training/objective.js';
export { measurePeakFlops } from './training/peak-flops.js';
export { createRandom, type Random } from './training/random.js';
export { learningRateAt, type Schedule } from './training/schedule.js';
export { openTrainingState, writeTrainingState, type StoredState } from './training/state-file.js';
export { Trainer, type TrainerOptions } from './training/trainer.js';
export { type Evaluation, type StepEvent, type TrainingEvent } from './training/training-events.js';
export { type TrainingShape } from './training/training-programs.js';
export {
  inexactResumes,
  parseProgress,
  repeatsItsBits,
  type CapturedState,
  type Fingerprint,
  type StateProgress,
  type TrainingState,
} from './training/training-state.js';
export { type WeightDecay } from './training/weight-decay.js';

// Writing on, and judging what is written.
export { openChatModel, type ChatModel } from './generation/chat-model.js';
export { createGenerator, type Generator, type GeneratorOptions } from './generation/generator.js';
export { promptLengthsUpTo, promptShapesUpTo } from './generation/prompt-lengths.js';
export { TokenMeter } from './generation/token-meter.js';
export {
  type GeneratedToken,
  type GenerationEnd,
  type GenerationEvent,
  type GenerationRequest,
  type Sampling,
  type TokenLogProbability,
} from './generation/request.js';
export { createForwardKl, type ForwardKl } from './scoring/forward-kl.js';
export { type ScoredSequence } from './scoring/scored.js';
export { createScorer, type Scorer, type ScorerOptions } from './scoring/scorer.js';

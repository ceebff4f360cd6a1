/**
 * What a student learns from, ready to be trained on: an objective, and what feeds it beside tokens. Each kind of stage makes its
 * lesson; the training knows no kind.
 */
import type {
  Batch,
  NamedNumbers,
  NumbersSource,
  Objective,
  SampleSource,
  StepEvent,
  Tokenizer,
} from '../../engine/index.js';
import type { ArtifactRef, ObjectStore } from '../../storage/index.js';

export interface Lesson {
  readonly objective: Objective;
  /** Values of the frozen tensors of the objective; absent where it has none. */
  readonly frozen?: NumbersSource;
  /** Inputs of the objective for a micro-batch; absent where it has none. */
  readonly extra?: (batch: Batch) => Promise<NamedNumbers>;
  /** Is there something for each of these samples? It is not read yet. Asked once, before the training begins. */
  readonly confirm?: (samples: Pick<SampleSource, 'samples' | 'read'>) => Promise<void>;
  /** Checks a step after it was made; absent where there is nothing to check. @throws divergence-negative */
  readonly check?: (step: StepEvent) => void;
  readonly close: () => Promise<void>;
}

export interface LessonRequest {
  readonly store: ObjectStore;
  /** By the names of the stage kind. */
  readonly inputs: Readonly<Record<string, ArtifactRef>>;
  /** The directory of a model artifact. */
  readonly fetch: (model: ArtifactRef) => Promise<string>;
  /** Of the student. */
  readonly tokenizer: Tokenizer;
  /** Of the student: its logits at a position. */
  readonly vocabularySize: number;
  /** Captured logits are kept here between processes. */
  readonly cacheDirectory: string;
  /** Something was read: long work is not silent. */
  readonly alive: () => void;
}

/** What the server and the process that computes say to each other: structured clones over Node's channel between processes. */
import type { GenerationEvent, GenerationRequest, Runner, ScoredSequence } from '../../engine/index.js';

export interface EngineJob {
  readonly directory: string;
  readonly runner: EngineRunner;
  readonly threads: number;
  /** How many sequences a step computes, always. */
  readonly slots: number;
  /** Tokens of a sequence, prompt included. */
  readonly capacity: number;
}

/** `best`: TensorFlow where set-up has left it, else wasm. */
export const engineRunners = ['best', 'tensorflow', 'wasm'] as const;
export type EngineRunner = (typeof engineRunners)[number];

export interface EngineFacts {
  /** What computes, and its release: bits depend on both. */
  readonly fingerprint: Runner['fingerprint'];
}

/** Log-probabilities of a prompt under the model: of its tokens and of the most probable ones, from the second position on. */
export type PromptScore = Pick<ScoredSequence, 'tokenLogProbabilities' | 'topIds'> & {
  readonly topLogProbabilities: Float32Array;
};

export type ToEngine =
  | { readonly type: 'load'; readonly job: EngineJob }
  | { readonly type: 'generate'; readonly id: number; readonly request: Omit<GenerationRequest, 'signal'> }
  | { readonly type: 'score'; readonly id: number; readonly prompt: Int32Array }
  | { readonly type: 'cancel'; readonly id: number };

export interface EngineFailure {
  readonly code: string;
  readonly message: string;
}

export type FromEngine =
  | { readonly type: 'ready'; readonly facts: EngineFacts }
  | { readonly type: 'event'; readonly id: number; readonly event: GenerationEvent }
  | { readonly type: 'scored'; readonly id: number; readonly score: PromptScore }
  /** Without an id the model could not be loaded. */
  | { readonly type: 'failed'; readonly id?: number; readonly failure: EngineFailure };

/** The most alternatives that can be asked for at a position, of a prompt and of an answer. */
export const mostAlternatives = 20;

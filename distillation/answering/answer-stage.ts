/**
 * One attempt at answering the prompts of a dataset with a model on this machine. Every answer is recorded like that of an endpoint,
 * and costs nothing: killed at any moment, the next attempt writes only what is missing, and comes to the same artifacts. Where
 * machines that compute other bits have answered, the result says so.
 */
import { hostname } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setImmediate } from 'node:timers/promises';
import { answerOptions, type AnswerOptions } from '../../config/answer-options.js';
import type { Progress } from '../../config/child-protocol.js';
import { NightstillError } from '../../config/errors.js';
import type { Numerics } from '../../config/numerics.js';
import { openChatModel, repeatsItsBits, type Runner } from '../../engine/index.js';
import {
  canonicalJson,
  digestOf,
  hexOf,
  type ArtifactRef,
  type JsonObject,
  type ObjectStore,
  type StageOutcome,
  type StageWriter,
} from '../../storage/index.js';
import { fetchModel } from '../model-artifact.js';
import { openLedger } from '../responses/index.js';
import { answerPrompts, type AnsweredPrompts } from '../teachers/answer-prompts.js';
import { engineClient } from './engine-client.js';
import { localTeacher } from './local-teacher.js';
import { AnsweringProgress } from './progress.js';

export interface AnsweringJob {
  readonly with: JsonObject;
  readonly inputs: Readonly<Record<string, ArtifactRef>>;
  readonly numerics: Numerics;
  readonly runId: string;
}

export interface AnsweringPlace {
  readonly store: ObjectStore;
  /** Of the claimed stage. */
  readonly writer: StageWriter;
  readonly runner: Runner;
  readonly cacheDirectory: string;
  readonly progress: (progress: Progress) => void;
  /** Aborted: nothing more is written, then its reason is thrown. */
  readonly stop: AbortSignal;
}

/** @throws answer-yield-too-low; the codes of models, data and store; the reason of `stop` */
export async function answerStage(
  job: AnsweringJob,
  place: AnsweringPlace,
): Promise<Pick<StageOutcome, 'outputs' | 'facts' | 'observations' | 'reproducible'>> {
  const { store, writer, runner, cacheDirectory, stop } = place;
  const startedAtMs = performance.now();
  const options = answerOptions.parse(job.with); // has passed it before
  const { dataset, teacher: weights } = inputsOf(job);
  const progress = new AnsweringProgress(place.progress, { stop, fence: writer.fence });
  progress.begin('load');
  const directory = await fetchModel(store, weights, join(cacheDirectory, 'models'), progress.alive);
  progress.begin('compile');
  await setImmediate(); // compiling does not yield
  const { context = 2048, sequences = 8 } = options;
  const model = await openChatModel(directory, { runner, xla: job.numerics.xla, context, sequences });
  try {
    const teacher = localTeacher(weights, model, job.numerics);
    const served = { model: teacher.model, fingerprint: fingerprintOf(runner) };
    const client = engineClient(model, { served, onToken: progress.token });
    const holder = { stage: writer.stageKey, fence: writer.fence };
    const ledger = await openLedger(store, { teacher, runId: job.runId, holder });
    try {
      progress.begin('ask');
      const asking = { signal: stop, graceMs: 0, onProgress: progress.counted };
      const answered = await answerPrompts({ store, writer, dataset, options, teacher, client, ledger, ...asking });
      progress.begin('seal');
      const { unheededSettings } = model;
      const observed = {
        host: hostname(),
        lastAttemptMs: Math.round(performance.now() - startedAtMs),
        tokensPerSecond: progress.tokensPerSecond,
        ...(unheededSettings.length > 0 && { unheededSettings }),
      };
      return outcomeOf(answered, { options, weights, runner }, observed);
    } finally {
      await ledger.close();
    }
  } finally {
    model.dispose();
  }
}

function inputsOf({ inputs: { dataset, teacher } }: AnsweringJob) {
  if (dataset && teacher) return { dataset, teacher };
  throw new NightstillError('child-protocol', 'expected the inputs dataset and teacher of answers, found not both');
}

/** Names the machine in replies: where it is equal, so are the bits that are computed. */
const fingerprintOf = ({ fingerprint }: Runner): string =>
  hexOf(digestOf(canonicalJson({ ...fingerprint }))).slice(0, 16);

interface AnswerContext {
  readonly options: AnswerOptions;
  readonly weights: ArtifactRef;
  readonly runner: Runner;
}

function outcomeOf(
  { dataset, answers, summary }: AnsweredPrompts,
  { options, weights, runner }: AnswerContext,
  observed: JsonObject,
): Pick<StageOutcome, 'outputs' | 'facts' | 'observations' | 'reproducible'> {
  const { fates, spentUsd = 0, ...counted } = summary;
  const { system, temperature, topP, maximumTokens, samples, seed } = options;
  const decoding = { ...(system !== undefined && { system }), temperature, topP, maximumTokens, samples, seed };
  return {
    outputs: { dataset, answers },
    facts: { requests: fates, rows: dataset.rows ?? 0, teacher: { revision: weights.digest }, decoding },
    observations: { ...observed, ...counted, spentUsd, prices: 'not given' },
    // Replies are counted by model and fingerprint: more than one means machines that compute other bits.
    reproducible: Object.keys(counted.served).length <= 1 && repeatsItsBits(runner.fingerprint),
  };
}

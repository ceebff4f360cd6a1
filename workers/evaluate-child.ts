/** The process that evaluates a model, or the answers that somebody else has given. */
import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { NightstillError } from '../config/errors.js';
import {
  fetchModel,
  readAnswers,
  readDatasetRows,
  readUnchanged,
  sourceIdentitySchema,
} from '../distillation/index.js';
import { evaluateAnswers, evaluateStage } from '../evaluation/evaluate/index.js';
import { isJsonObject, lookupResult, type ArtifactRef, type JsonObject, type ObjectStore } from '../storage/index.js';
import { computingJobSchema } from './computing-job.js';
import { openStageRunner } from './open-runner.js';
import { runStageChild } from './stage-child.js';

const preimageSchema = z.looseObject({ options: z.looseObject({ database: sourceIdentitySchema }) });

const jobSchema = computingJobSchema.extend({
  scorerModule: z.string().optional(),
  makers: z.record(z.string(), z.string()).default({}),
});
type EvaluationJob = z.output<typeof jobSchema>;

void runStageChild(jobSchema, async ({ job, ...stage }) => {
  const judging = {
    ...stage,
    rows: () => readDatasetRows(stage.store, needed(job.inputs['dataset'])),
    database: () => databaseOf(job),
    scorerModule: job.scorerModule,
  };
  const { answers } = job.inputs;
  if (answers !== undefined)
    return evaluateAnswers(job, {
      ...judging,
      answers: (onRead) => readAnswers(stage.store, answers, onRead),
      speed: () => speedOf(job, stage.store),
    });
  const { runner, cacheDirectory } = await openStageRunner(job.numerics, stage.writer);
  return evaluateStage(job, {
    ...judging,
    runner,
    async model(onRead) {
      const models = join(cacheDirectory, 'models');
      const directory = await fetchModel(stage.store, needed(job.inputs['model']), models, onRead);
      return { directory, weightBytes: await weightBytesOf(directory) };
    },
    async teacher(onRead) {
      const { teacher } = job.inputs;
      return teacher && fetchModel(stage.store, teacher, join(cacheDirectory, 'models'), onRead);
    },
  });
});

const speeds = ['latencyP50Ms', 'latencyP95Ms', 'sideBySide', 'tokensPerSecond'];

/** Of the answers, as the stage that asked for them has seen it; nothing where that is not known. */
async function speedOf({ makers }: EvaluationJob, store: ObjectStore): Promise<JsonObject> {
  const { answers: maker } = makers;
  const found = maker === undefined ? undefined : (await lookupResult(store, maker))?.outcome.observations;
  if (found === undefined || !isJsonObject(found)) return {};
  return Object.fromEntries(Object.entries(found).filter(([name]) => speeds.includes(name)));
}

async function weightBytesOf(directory: string): Promise<number> {
  const files = (await readdir(directory)).filter((name) => name.endsWith('.safetensors'));
  const sizes = await Promise.all(files.map((name) => stat(join(directory, name))));
  return sizes.reduce((sum, { size }) => sum + size, 0);
}

/** As it was when the stage was identified: another one would give other scores under the same key. */
async function databaseOf({ with: options, preimage }: EvaluationJob): Promise<Uint8Array | undefined> {
  const url = options['database'];
  if (typeof url !== 'string') return undefined;
  const identified = preimageSchema.safeParse(preimage);
  if (!identified.success)
    throw new NightstillError('child-protocol', 'expected the identity of the database of an evaluation, found none');
  return readUnchanged(url, identified.data.options.database);
}

function needed(input: ArtifactRef | undefined): ArtifactRef {
  if (input) return input;
  throw new NightstillError(
    'child-protocol',
    'expected the inputs dataset, and model or answers, of an evaluation, found not both',
  );
}

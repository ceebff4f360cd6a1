/** The process that captures the distributions of a teacher behind an endpoint: it asks, records, and makes logits of the record. */
import { join } from 'node:path';
import { z } from 'zod';
import { callsOf, driftIn, openStageLedger } from '../activities/stage-ledger.js';
import { teacherKey } from '../activities/teacher-key.js';
import { captureEndpointOptions } from '../config/capture-endpoint-options.js';
import { readEnvironment } from '../config/environment.js';
import { captureEndpoint } from '../distillation/capture/index.js';
import { artifactRefSchema } from '../storage/index.js';
import { runStageChild, stageJobSchema } from './stage-child.js';

const jobSchema = stageJobSchema.extend({
  runId: z.string(),
  with: captureEndpointOptions,
  inputs: z.object({ dataset: artifactRefSchema, student: artifactRefSchema, identity: artifactRefSchema.optional() }),
});

void runStageChild(jobSchema, async ({ job, store, writer, progress, stop }) => {
  const { with: options, inputs, runId } = job;
  const { dataset, student, identity } = inputs;
  const { teacher, budget } = options;
  const { prices = 'not given' } = teacher;
  const apiKey = teacherKey(teacher);
  const ledger = await openStageLedger(store, { teacher, runId, writer, budget });
  try {
    const cacheDirectory = join(readEnvironment().cacheDirectory, 'training');
    const drift = await driftIn(store, identity);
    const asking = { dataset, student, drift, options, apiKey, cacheDirectory };
    const captured = await captureEndpoint({ ...asking, store, writer, ledger, signal: stop, progress });
    const { facts, observed, spentUsd } = captured;
    const money = { spentUsd: (teacher.prices && spentUsd) ?? 'not given', prices };
    const calls = callsOf(await ledger.report()); // those for the run's answers among them
    return {
      outputs: { logits: captured.logits, dataset: captured.dataset },
      facts,
      observations: { ...observed, ...money, calls },
      reproducible: false,
    };
  } finally {
    await ledger.close();
  }
});

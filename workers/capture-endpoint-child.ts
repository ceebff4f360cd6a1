/** The process that captures the distributions of a teacher behind an endpoint: it asks, records, and makes logits of the record. */
import { join } from 'node:path';
import { z } from 'zod';
import { teacherKey } from '../activities/teacher-key.js';
import { captureEndpointOptions } from '../config/capture-endpoint-options.js';
import { readEnvironment } from '../config/environment.js';
import { captureEndpoint, type CaptureProgress } from '../distillation/capture/index.js';
import { budgetOfRun, driftIdentityOf, fromUsd, openLedger, toUsd, type LedgerReport } from '../distillation/index.js';
import { artifactRefSchema, readArtifact, type Json } from '../storage/index.js';
import { runStageChild, stageJobSchema } from './stage-child.js';

const jobSchema = stageJobSchema.extend({
  runId: z.string(),
  with: captureEndpointOptions,
  inputs: z.object({ dataset: artifactRefSchema, student: artifactRefSchema, identity: artifactRefSchema.optional() }),
});

/** An endpoint may keep everybody waiting for minutes: meanwhile this process says that it lives. */
const aliveIntervalMs = 20_000;

void runStageChild(jobSchema, async ({ job, store, writer, progress, stop }) => {
  const { with: options, inputs, runId } = job;
  const { dataset, student, identity } = inputs;
  const { teacher, budget } = options;
  const { prices = 'not given' } = teacher;
  const apiKey = teacherKey(teacher);
  let last: CaptureProgress = { phase: 'load' };
  const onProgress = (now: CaptureProgress): void => {
    const { phase, done, ...counted } = (last = now);
    progress({
      phase,
      ...(done !== undefined && { facts: { done, ...counted } }),
      // Every reply is durable once it is recorded.
      ...(phase === 'capture' && done !== undefined && { durable: { step: done, fence: writer.fence } }),
    });
  };
  const alive = setInterval(() => onProgress(last), aliveIntervalMs);
  const ledger = await openLedger(store, {
    teacher,
    runId,
    holder: { stage: writer.stageKey, fence: writer.fence },
    ...(budget && { caps: [{ budget: budgetOfRun(runId), amount: fromUsd(budget.spendAtMostUsd) }] }),
  });
  try {
    const cacheDirectory = join(readEnvironment().cacheDirectory, 'training');
    const drift = identity ? driftIdentityOf((await readArtifact(store, identity)).meta) : null;
    const asking = { dataset, student, drift, options, apiKey, cacheDirectory };
    const captured = await captureEndpoint({ ...asking, store, writer, ledger, signal: stop, onProgress });
    const { facts, observed } = captured;
    const { spentUsd, ...served } = observed;
    const money = { spentUsd: teacher.prices ? spentUsd : 'not given', prices };
    const calls = callsOf(await ledger.report());
    return {
      outputs: { logits: captured.logits, dataset: captured.dataset },
      facts,
      observations: { ...served, ...money, calls },
      reproducible: false,
    };
  } finally {
    clearInterval(alive);
    await ledger.close();
  }
});

/** Of the run, in dollars: those for its answers among them. */
const callsOf = ({ asked, answered, refused, possiblyPaidTwice, unpriced }: LedgerReport): Json => ({
  asked,
  answered: answered.calls,
  refused,
  possiblyPaidTwice: { calls: possiblyPaidTwice.calls, atMostUsd: toUsd(possiblyPaidTwice.money) },
  unpriced,
});

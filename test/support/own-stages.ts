/** Stages of a user's own, as `--stages` loads them: small, and each with one trait that a test looks at. */
import { appendFile, readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { defineStage, type Stage } from '../../plugins/index.js';

const tickMs = 50;

/** Counts to `until`, a tick at a time, and keeps its count when it is asked to end. */
const counter = defineStage({
  kind: 'counter',
  version: 1,
  options: z.strictObject({ until: z.int() }),
  outputs: { count: 'count' },
  async run({ options: { until }, writer, progress, signal }) {
    const restored = await writer.restore();
    const resumedAt = z.int().parse(restored?.state ?? 0);
    let count = resumedAt;
    for (; count < until && !signal.aborted; count += 1) {
      progress({ phase: 'count', facts: { done: count, of: until, resumedAt } });
      await delay(tickMs);
    }
    if (signal.aborted) {
      if (count > resumedAt) await writer.save({ step: count, state: count }).durable;
      progress({ phase: 'saved', durable: { step: count, fence: writer.fence } });
      signal.throwIfAborted();
    }
    const output = await writer.putArtifact({ kind: 'count', parts: [], meta: { count } });
    return { outputs: { count: output }, facts: { count }, observations: { resumedAt } };
  },
});

/** Heeds no signal. */
const stubborn = defineStage({
  kind: 'stubborn',
  version: 1,
  outputs: { count: 'count' },
  run: async ({ progress }) => {
    progress({ phase: 'work' });
    await delay(3_600_000);
    throw new Error('expected to be killed');
  },
});

/** Writes down when it begins and ends; waits until a line of the log says that another has begun, when it is told to. */
const logged = defineStage({
  kind: 'logged',
  version: 1,
  options: z.strictObject({ name: z.string(), log: z.string(), meets: z.string().optional() }),
  outputs: { count: 'count' },
  queue: 'gpu',
  async run({ options: { name, log, meets }, writer, signal }) {
    await appendFile(log, `begin ${name}\n`);
    do await delay(tickMs * 4, null, { signal });
    while (meets !== undefined && !(await readFile(log, 'utf8')).includes(`begin ${meets}\n`));
    await appendFile(log, `end ${name}\n`);
    return { outputs: { count: await writer.putArtifact({ kind: 'count', parts: [], meta: { name } }) }, facts: name };
  },
});

/** Returns another kind of artifact than it says. */
const careless = defineStage({
  kind: 'careless',
  version: 1,
  outputs: { count: 'count' },
  run: async ({ writer }) => ({
    outputs: { count: await writer.putArtifact({ kind: 'sum', parts: [], meta: null }) },
    facts: null,
  }),
});

export const stages: readonly Stage[] = [counter, stubborn, logged, careless];

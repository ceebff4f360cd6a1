/** Stages that cost next to nothing, for tests that look at the run around them. */
import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { NightstillError } from '../../config/errors.js';
import type { FailureCode } from '../../config/failures.js';
import { defineStage, type Stage } from '../../plugins/index.js';

const tickMs = 50;

/** Keeps a text, after what it is given. */
const note = defineStage({
  kind: 'note',
  version: 1,
  options: z.strictObject({
    text: z.string(),
    /** A file: nothing is written before it is there. */
    waitFor: z.string().optional(),
    waitMs: z.int().default(0),
    queue: z.enum(['io', 'gpu']).default('io'),
  }),
  inputs: { first: 'note?', second: 'note?' },
  outputs: { note: 'note' },
  queue: ({ queue }) => queue,
  async run({ options: { text, waitMs, waitFor }, writer, progress, signal }) {
    progress({ phase: 'write' });
    await delay(waitMs, undefined, { signal });
    while (waitFor !== undefined && !existsSync(waitFor)) await delay(tickMs, undefined, { signal });
    const part = await writer.putBlob(Buffer.from(text));
    return { outputs: { note: await writer.putArtifact({ kind: 'note', parts: [part], meta: null }) }, facts: null };
  },
});

/** Fails with a code; its attempt number `stepAt` brings a new durable step before. Where it waits first, it hears nothing meanwhile. */
const failing = defineStage({
  kind: 'failing',
  version: 1,
  options: z.strictObject({
    code: z.string(),
    stepAt: z.int().optional(),
    /** A file: it fails when that is there. */
    waitFor: z.string().optional(),
    prompt: z.string().default(''),
  }),
  inputs: { first: 'note?' },
  outputs: { note: 'note' },
  async run({ options: { code, stepAt, waitFor, prompt }, writer, progress }) {
    if (waitFor !== undefined) progress({ phase: 'wait' });
    while (waitFor !== undefined && !existsSync(waitFor)) await delay(tickMs);
    const step = ((await writer.restore())?.step ?? 0) + 1;
    await writer.save({ step, state: null }).durable;
    if (step === stepAt) progress({ phase: 'write', durable: { step, fence: writer.fence } });
    throw new NightstillError(code as FailureCode, `expected success, found none: ${prompt}`);
  },
});

/** Never ends, unless it is told to; then it makes a step durable first. */
const endless = defineStage({
  kind: 'endless',
  version: 1,
  outputs: { note: 'note' },
  async run({ writer, progress, signal }) {
    const step = ((await writer.restore())?.step ?? 0) + 1;
    progress({ phase: 'wait' });
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    await writer.save({ step, state: null }).durable;
    signal.throwIfAborted();
    throw new Error('expected to be told to end');
  },
});

/** Keeps how many rows a dataset has. */
const count = defineStage({
  kind: 'count',
  version: 1,
  inputs: { dataset: 'dataset' },
  outputs: { note: 'note' },
  async run({ inputs: { dataset }, writer }) {
    const part = await writer.putBlob(Buffer.from(`${dataset.rows} rows`));
    return { outputs: { note: await writer.putArtifact({ kind: 'note', parts: [part], meta: null }) }, facts: null };
  },
});

/** Neither ends nor says anything until it is told to end; its first attempts make a step durable that they tell nobody of. */
const silent = defineStage({
  kind: 'silent',
  version: 1,
  options: z.strictObject({ steps: z.int().default(0) }),
  outputs: { note: 'note' },
  async run({ options: { steps }, writer, signal }) {
    const step = ((await writer.restore())?.step ?? 0) + 1;
    if (step <= steps) await writer.save({ step, state: null }).durable;
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
  },
});

export const smallStages: readonly Stage[] = [note, failing, endless, silent, count];

/** As if the code of this kind had changed since. */
export const withNewVersion = (changed: string): readonly Stage[] =>
  smallStages.map((stage) =>
    stage.kind.kind === changed ? { ...stage, kind: { ...stage.kind, version: stage.kind.version + 1 } } : stage,
  );

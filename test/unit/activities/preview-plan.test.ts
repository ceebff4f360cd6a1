import { mkdtemp, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { z } from 'zod';
import { lookUpStage } from '../../../activities/lookup.js';
import { previewPlan } from '../../../activities/preview-plan.js';
import { resolvePlan } from '../../../activities/resolve-plan.js';
import type { Stage } from '../../../activities/stage.js';
import { identifyStage } from '../../../activities/stage-key.js';
import type { Outputs } from '../../../config/artifact.js';
import { defineStage } from '../../../plugins/define-stage.js';
import {
  claimStage,
  closeRun,
  openObjectStore,
  openRun,
  parseDigest,
  type StageWriter,
} from '../../../storage/index.js';
import { nobodyIsOpen } from '../../support/stage.js';

const word = z.strictObject({ path: z.string() });
const read = defineStage({
  kind: 'read',
  version: 1,
  options: word,
  outputs: { text: 'text' },
  sources: { path: 'dataset' },
  run: () => Promise.reject(new Error('not run here')),
});
const count = defineStage({
  kind: 'count',
  version: 1,
  options: z.strictObject({ least: z.int().default(1) }),
  inputs: { text: 'text' },
  outputs: { table: 'table' },
  queue: 'gpu',
  run: () => Promise.reject(new Error('not run here')),
});
const rules = { kinds: [read, count].map(({ kind }: Stage) => kind), queuePrefix: 'night' };

let directory: string;
let store: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nightstill-preview-'));
  store = pathToFileURL(join(directory, 'store')).href;
  await writeFile(join(directory, 'rows.jsonl'), '{}\n');
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const file = (least = 1) => ({
  name: 'words',
  store,
  stages: [
    { id: 'count', uses: 'count', needs: ['read'], with: { least } },
    { id: 'read', uses: 'read', with: { path: pathToFileURL(join(directory, 'rows.jsonl')).href } },
  ],
});

/** What a run does with a plan, without Temporal; `until` names the node that it fails at. */
async function run(runId: string, content: unknown, until?: string): Promise<Record<string, string>> {
  const { plan, planDigest } = resolvePlan(content, rules);
  const opened = await openObjectStore(store, { forWriting: true });
  const why: Record<string, string> = {};
  try {
    await openRun(opened, { id: runId, plan: plan.name, planDigest: parseDigest(planDigest) });
    const done: Record<string, Outputs> = {};
    for (const node of [...plan.nodes].reverse()) {
      const kind = rules.kinds.find((candidate) => candidate.kind === node.uses);
      if (!kind) throw new Error('expected a kind');
      const inputs = Object.fromEntries(
        Object.entries(node.inputs).flatMap(([name, { node: id, output }]) => {
          const artifact = done[id]?.[output];
          return artifact ? [[name, artifact]] : [];
        }),
      );
      const stage = await identifyStage(kind, { with: node.with, inputs });
      const found = await lookUpStage(opened, kind, { runId, node: node.id }, stage);
      why[node.id] = found.why;
      if (node.id === until) break;
      done[node.id] = found.outputs ?? (await work(opened, runId, stage.stageKey, found.preimage, kind.outputs));
    }
    await closeRun(opened, runId, null);
    return why;
  } finally {
    await opened.close();
  }
}

async function work(
  opened: Awaited<ReturnType<typeof openObjectStore>>,
  runId: string,
  stageKey: string,
  preimage: Parameters<StageWriter['seal']>[0]['preimage'],
  outputs: Readonly<Record<string, string>>,
): Promise<Outputs> {
  const owner = { workflowId: runId, runId: 'r', activityId: stageKey, attempt: 1 };
  const writer = await claimStage(opened, { stageKey, owner, isOpen: nobodyIsOpen });
  const made: Record<string, Awaited<ReturnType<StageWriter['putArtifact']>>> = {};
  for (const [name, kind] of Object.entries(outputs))
    made[name] = await writer.putArtifact({ kind, parts: [], meta: preimage });
  const sealed = await writer.seal({ preimage, outputs: made, facts: {}, observations: {}, reproducible: true });
  return sealed.outcome.outputs;
}

const brief = async (content: unknown): Promise<Record<string, string>> =>
  Object.fromEntries(
    (await previewPlan(content, rules)).nodes.map(({ id, verdict, why }) => [id, `${verdict}: ${why}`]),
  );

describe('the preview of a plan', () => {
  it('says what would run and on which queue, before anything has run, and writes nothing', async () => {
    const before = await readdir(directory);
    expect(await previewPlan(file(), rules)).toEqual({
      plan: 'words',
      store,
      planDigest: expect.stringMatching(/^sha256:/),
      nodes: [
        {
          id: 'count',
          uses: 'count',
          needs: ['read'],
          queue: 'night-gpu',
          verdict: 'unknown',
          why: 'unknown until read is done',
        },
        {
          id: 'read',
          uses: 'read',
          needs: [],
          queue: 'night-io',
          verdict: 'runs',
          why: 'never run before',
          stageKey: expect.stringMatching(/^[0-9a-f]{64}$/),
        },
      ],
    });
    expect(await readdir(directory)).toEqual(before);
  });

  it('says what is reused, by whom it was recorded, and what has changed since', async () => {
    await run('run-1', file());
    expect(await brief(file())).toEqual({
      read: 'reused: recorded by run run-1',
      count: 'reused: recorded by run run-1',
    });
    expect(await brief(file(3))).toEqual({ read: 'reused: recorded by run run-1', count: 'runs: least: 1 → 3' });
  });

  it('estimates what runs by what the node took last, and says nothing where nothing is known', async () => {
    await run('run-1', file(), 'count');
    const [counted, reads] = (await previewPlan(file(2), rules)).nodes;
    expect([counted?.verdict, counted?.estimateMs, reads?.verdict]).toEqual(['runs', undefined, 'reused']);
    await run('run-2', file());
    await utimes(join(directory, 'rows.jsonl'), 1, 1);
    const { nodes } = await previewPlan(file(2), rules);
    expect(nodes.map(({ verdict, estimateMs }) => [verdict, estimateMs])).toEqual([
      ['unknown', expect.any(Number)],
      ['runs', expect.any(Number)],
    ]);
  });

  it('tells of data that is gone', async () => {
    await rm(join(directory, 'rows.jsonl'));
    await expect(previewPlan(file(), rules)).rejects.toMatchObject({ code: 'dataset-missing' });
  });
});

describe('why a node of a run runs', () => {
  it('is what has changed since the last run of its plan that came to it', async () => {
    expect(await run('run-1', file(1))).toEqual({ read: 'never run before', count: 'never run before' });
    await run('run-2', file(2), 'read');
    expect(await run('run-3', file(3))).toEqual({ read: 'recorded by run run-1', count: 'least: 1 → 3' });
    expect(await run('run-4', file(1))).toEqual({ read: 'recorded by run run-1', count: 'recorded by run run-1' });
  });

  it('is that it was not finished, when nothing has changed', async () => {
    await run('run-1', file(), 'count');
    expect(await run('run-2', file())).toEqual({ read: 'recorded by run run-1', count: 'not finished before' });
    expect(await run('run-2', file())).toEqual({ read: 'recorded by run run-1', count: 'recorded by this run' });
  });

  it('is that the data has changed, also between two attempts of one run', async () => {
    await run('run-1', file(), 'read');
    await writeFile(join(directory, 'rows.jsonl'), '{}\n{}\n');
    const { read: why } = await run('run-1', file());
    expect(why).toBe(`path: what lies at ${file().stages[1]?.with.path} changed, 3 → 6 bytes`);
  });

  it('is that its result is gone', async () => {
    await run('run-1', file());
    await rm(join(directory, 'store', 'blobs'), { recursive: true });
    expect(await run('run-2', file())).toMatchObject({ read: 'its result was collected, or is damaged' });
  });
});

it('of what acts no stage key is shown, since every run has another', async () => {
  const { kind } = defineStage({
    kind: 'act',
    version: 1,
    outputs: { deed: 'deed' },
    reusable: false,
    run: () => Promise.reject(new Error('not run here')),
  });
  const content = { name: 'deeds', store, stages: [{ id: 'act', uses: 'act' }] };
  const { nodes } = await previewPlan(content, { ...rules, kinds: [kind] });
  expect(nodes[0]).toMatchObject({ id: 'act', verdict: 'runs' });
  expect(nodes[0]?.stageKey).toBeUndefined();
});

it('of what waits for a person, how long is told as durations are everywhere', async () => {
  const unused = { run: () => Promise.reject(new Error('not run here')) };
  const outputs = { verdict: 'verdict', model: 'model' };
  const judge = defineStage({ kind: 'judge', version: 1, outputs, ...unused });
  const { kind } = defineStage({
    kind: 'act',
    version: 1,
    inputs: outputs,
    outputs: { deed: 'deed' },
    reusable: false,
    approval: () => ({ verdict: 'verdict', model: 'model', withinMs: 90_000 }) as const,
    ...unused,
  });
  const stages = [
    { id: 'judge', uses: 'judge' },
    { id: 'act', uses: 'act', needs: ['judge'] },
  ];
  const { nodes } = await previewPlan({ name: 'deeds', store, stages }, { ...rules, kinds: [judge.kind, kind] });
  expect(nodes[1]?.notes).toEqual(['waits 1 min 30 s at most for a person to approve what passed its gate']);
});

it('of rows that are kept out of training and that nobody answers, it is said that no answer is scored', async () => {
  const { kind } = defineStage({
    kind: 'learn',
    version: 1,
    inputs: { text: 'text', heldOut: 'text?' },
    outputs: { model: 'model' },
    run: () => Promise.reject(new Error('not run here')),
  });
  await writeFile(join(directory, 'exam.jsonl'), '{}\n');
  const reading = (id: string, name: string) => {
    const path = pathToFileURL(join(directory, name)).href;
    return { id, uses: 'read', with: { path } };
  };
  const reads = [reading('lesson', 'rows.jsonl'), reading('exam', 'exam.jsonl')];
  const inputs = { text: 'lesson.text', heldOut: 'exam.text' };
  const learn = { id: 'learn', uses: 'learn', needs: ['lesson', 'exam'], inputs };
  const counts = { id: 'count', uses: 'count', needs: ['exam'] };
  const again = { ...counts, needs: ['again'] };
  const notesWith = async (...more: object[]): Promise<unknown[]> => {
    const stages = [...reads, learn, ...more];
    const { nodes } = await previewPlan({ name: 'words', store, stages }, { ...rules, kinds: [...rules.kinds, kind] });
    return nodes.map(({ notes }) => notes);
  };
  const note = expect.stringContaining('no answer is scored') as string;
  expect(await notesWith()).toEqual([undefined, [note], undefined]);
  expect(await notesWith(counts)).toEqual([undefined, undefined, undefined, undefined]);
  const asked = await notesWith(reading('again', 'exam.jsonl'), again);
  expect(asked).toEqual(Array.from({ length: 5 }, () => undefined));
});

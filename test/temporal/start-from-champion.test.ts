/** Nights that train from what serves: new rows are taught to the champion, and nothing is taught twice. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { explain, findModel, start } from '../../client/index.js';
import type { RunResult } from '../../client/index.js';
import { lookupResult, openObjectStore, type Json, type JsonObject } from '../../storage/index.js';
import { conversationLines, copyModel } from '../support/model-fixtures.js';
import { NightFiles } from '../support/night-files.js';
import { SmallNight } from '../support/small-night.js';

let files: NightFiles;
let night: SmallNight;
let plan: JsonObject;
let rows: string;
let store: string;

beforeAll(async () => {
  files = await NightFiles.create();
  const model = await copyModel('qwen3-qknorm', files.directory);
  rows = join(files.directory, 'rows');
  store = files.newStore();
  const training = { steps: 2, rows: 1, rowTokens: 64, learningRate: 1e-2, warmUpRatio: 0 };
  plan = {
    name: 'started',
    store,
    numerics: { runner: 'wasm', threads: 1 },
    teacher: model,
    student: { model, start: 'champion' },
    dataset: { from: `${rows}/{{scheduledDate}}/`, window: '3d' },
    evaluation: await files.newDataset(conversationLines(2)),
    'fine-tune': training,
    distill: training,
    evaluate: { maximumTokens: 4, context: 128 },
    gates: [{ score: 'exact-match', atLeast: 0, minItems: 1 }],
  };
  night = await SmallNight.begin();
  await Promise.all([night.addWorker('io'), night.addWorker('gpu'), night.addWorker('orchestrator')]);
});

afterAll(async () => {
  await night.end();
  await files.remove();
});

async function arrive(day: string, text: string): Promise<void> {
  await mkdir(join(rows, day), { recursive: true });
  await writeFile(join(rows, day, 'rows.jsonl'), text);
}

async function nightOf(scheduledDate: string, changes: Readonly<Record<string, Json>> = {}) {
  const { client } = night;
  const handle = await start({ client, file: { ...plan, ...changes }, runId: files.newRunId(), scheduledDate });
  const { nodes } = await handle.result();
  return { nodes, runId: handle.runId, ran: Object.keys(nodes).filter((id) => !nodes[id]?.reused) };
}

const champion = async () => (await findModel({ store, name: 'started' }))?.current.digest;

/** What the fine-tune began with. */
async function beginOf(nodes: RunResult['nodes']): Promise<unknown> {
  const opened = await openObjectStore(store);
  try {
    const result = await lookupResult(opened, nodes['fine-tune']?.stageKey ?? '');
    const preimage = result?.outcome.preimage as { readonly inputs: JsonObject } | undefined;
    return preimage?.inputs['model'];
  } finally {
    await opened.close();
  }
}

const trained = ['import', 'fine-tune', 'distill', 'evaluate', 'evaluate-fine-tuned', 'gate', 'promote'];

it('the first night trains from the base, an unchanged one runs no stage, and new rows are taught to what serves', async () => {
  await arrive('2026-11-25', conversationLines(3));
  const first = await nightOf('2026-11-26');
  expect(await beginOf(first.nodes)).toBe(first.nodes['student']?.outputs['model']?.digest);
  const promoted = await champion();
  expect(promoted).toBe(first.nodes['distill']?.outputs['model']?.digest);
  // The base and the teacher are measured once.
  expect(first.ran).toEqual(expect.arrayContaining(['evaluate-base', 'evaluate-teacher', ...trained]));
  expect((await nightOf('2026-11-27')).ran).toEqual([]);

  await arrive('2026-11-27', `${JSON.stringify({ prompt: 'one more', response: 'row' })}\n`);
  const second = await nightOf('2026-11-27');
  expect(second.ran.toSorted()).toEqual(trained.toSorted());
  expect(await beginOf(second.nodes)).toBe(promoted);
  const next = await champion();
  expect(next).toBe(second.nodes['distill']?.outputs['model']?.digest);
  expect(next).not.toBe(promoted);
  const why = await explain({ client: night.client, runId: second.runId, node: 'import' });
  expect(why[0]?.why).toContain('2026-11-27/rows.jsonl');
  expect((await nightOf('2026-11-27')).ran).toEqual([]);

  // What the champion was taught is not taught again when only what follows is another.
  const third = await nightOf('2026-11-27', { distill: { ...(plan['distill'] as JsonObject), temperature: 3 } });
  expect(third.ran).toEqual(['distill', 'evaluate', 'gate', 'promote']);
  expect(await beginOf(third.nodes)).toBe(promoted);
  expect(
    (await nightOf('2026-11-27', { distill: { ...(plan['distill'] as JsonObject), temperature: 3 } })).ran,
  ).toEqual([]);
});

/** Whole runs that measure, decide and promote: the first night, the same night again, a student that may not, and a champion that moves meanwhile. */
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { previewPlan } from '../../activities/preview-plan.js';
import { exportModel } from '../../cli/export-model.js';
import { explain, findModel, promoteModel, report, upsertSchedule, type RunHandle } from '../../client/index.js';
import { verdictSchema, type VerdictRecord } from '../../config/verdict.js';
import {
  openObjectStore,
  parseDigest,
  parseJson,
  readArtifact,
  readBlob,
  type Json,
  type JsonObject,
} from '../../storage/index.js';
import { builtInStages } from '../../plugins/built-in-stages.js';
import { conversationLines } from '../support/model-fixtures.js';
import type { NightFiles } from '../support/night-files.js';
import { until } from '../support/processes.js';
import { promotionFiles, promotionPlan, type PromotionPlan } from '../support/promotion-plan.js';
import { historyOf } from '../support/run-view.js';
import { smallPlan, SmallNight } from '../support/small-night.js';

let files: NightFiles;
let night: SmallNight;
let models: readonly [string, string];
let dataset: string;
let store: string;

beforeAll(async () => {
  ({ files, models, dataset, store } = await promotionFiles());
  night = await SmallNight.begin();
  await Promise.all([night.addWorker('io'), night.addWorker('gpu'), night.addWorker('orchestrator')]);
});

afterAll(async () => {
  await night.end();
  await files.remove();
});

type Ask = Omit<PromotionPlan, 'store' | 'dataset' | 'model'> & { readonly model?: string };

const plan = ({ model = models[0], ...ask }: Ask): Json => promotionPlan({ store, dataset, model, ...ask });

const run = (ask: Ask): Promise<RunHandle> => night.start(files.newRunId(), plan(ask));
const ranIn = (nodes: Record<string, { readonly reused: boolean }>): string[] =>
  Object.keys(nodes).filter((id) => !nodes[id]?.reused);

async function verdictOf({ nodes }: Awaited<ReturnType<RunHandle['result']>>): Promise<VerdictRecord> {
  const opened = await openObjectStore(store);
  try {
    const artifact = nodes['gate']?.outputs['verdict'];
    const { parts } = await readArtifact(opened, { ...artifact!, digest: parseDigest(artifact?.digest ?? '') });
    return verdictSchema.parse(parseJson(Buffer.from(await readBlob(opened, parts[0]!)).toString()));
  } finally {
    await opened.close();
  }
}

it('the first night promotes, two unchanged nights run no stage and leave the alias, another student meets the champion', async () => {
  const first = await (await run({ name: 'nightly' })).result();
  const promoted = await findModel({ store, name: 'nightly' });
  expect(promoted).toMatchObject({ counter: 1, current: { digest: first.nodes['student']?.outputs['model']?.digest } });
  expect(promoted?.current.reason).toContain('exact-match: 0 [0, ');
  const verdict = await verdictOf(first);
  expect(verdict).toMatchObject({ verdict: 'pass', champion: null, scores: [{ scorer: 'exact-match', items: 4 }] });
  expect(verdict.reasons).toContainEqual(expect.stringContaining('not-applicable: exact-match: there is no champion'));

  const exported = join(files.directory, 'exported');
  await exportModel({
    client: night.client,
    runId: 'nightly/champion',
    directory: exported,
    node: undefined,
    store,
    recordedIn: store,
  });
  const card = await readFile(join(exported, 'README.md'), 'utf8');
  expect(card).toContain(promoted?.current.digest);
  expect(card).toContain('| exact-match | 0.000 |');

  for (const _ of ['the second', 'the third']) {
    const next = await (await run({ name: 'nightly' })).result();
    expect(ranIn(next.nodes)).toEqual([]);
    expect([next.nodes['gate'], next.nodes['promote']]).toEqual(
      [0, 1].map(() => ({ outputs: {}, reused: true, unchanged: 'gate' })),
    );
    expect(await findModel({ store, name: 'nightly' })).toEqual(promoted);
  }

  const other = await (await run({ name: 'nightly', model: models[1] })).result();
  expect(ranIn(other.nodes)).toEqual(['student', 'evaluate', 'gate', 'promote']);
  expect(await verdictOf(other)).toMatchObject({
    verdict: 'pass',
    champion: { counter: 1, digest: promoted?.current.digest },
    reasons: [expect.anything(), expect.stringMatching(/^pass: .* the champion: .* on 4 items/)],
  });
  expect(await findModel({ store, name: 'nightly' })).toMatchObject({ counter: 2, history: [promoted?.current] });
});

it('a schedule promotes in its first night, and runs no stage in the next two; explanation and report say why', async () => {
  const { client } = night;
  const schedule = { cron: '0 3 1 1 *' };
  await upsertSchedule({ client, file: { ...(plan({ name: 'scheduled' }) as JsonObject), schedule } });
  const first = await night.oneNight('scheduled');
  expect(first).toMatchObject({ status: 'completed', ran: expect.arrayContaining(['gate', 'promote']) });
  const promoted = await findModel({ store, name: 'scheduled' });
  expect(promoted).toMatchObject({ counter: 1 });

  const nothing = { ran: [], reused: expect.arrayContaining(['student', 'evaluate', 'gate', 'promote']) as string[] };
  expect(await night.oneNight('scheduled')).toMatchObject(nothing);
  const second = await night.oneNight('scheduled');
  expect(second).toMatchObject(nothing);
  expect(await findModel({ store, name: 'scheduled' })).toEqual(promoted);
  const why = 'unchanged: the candidate serves already as scheduled/champion';
  for (const asked of [{ store }, { client }])
    expect(await explain({ runId: second.run, ...asked })).toEqual(
      expect.arrayContaining([
        { node: 'gate', status: 'reused', why, differences: [] },
        { node: 'promote', status: 'reused', why: 'unchanged: gate had nothing to decide', differences: [] },
      ]),
    );
  expect(await report({ runId: second.run, store })).toMatchObject({
    verdicts: [{ node: 'gate', verdict: 'unchanged', reasons: [why] }],
    promotions: [],
    withoutResult: [],
  });
  const kinds = builtInStages.map(({ kind }) => kind);
  const preview = await previewPlan(plan({ name: 'scheduled' }), { kinds, queuePrefix: 'nightstill' });
  expect(preview.nodes.map(({ verdict }) => verdict)).toEqual(preview.nodes.map(() => 'reused'));
});

it('a gate that says no completes the run, and promotes nothing', async () => {
  const gates = [
    { score: 'exact-match', atLeast: 0.9, minItems: 1 },
    { observation: 'latencyP95Ms', atMost: 600_000 },
  ];
  const handle = await run({ name: 'strict', gates });
  const result = await handle.result();
  const { verdict, reasons } = await verdictOf(result);
  expect(verdict).toBe('fail');
  expect(reasons[0]).toMatch(/^fail: exact-match: 0 .* below 0.9/);
  expect(reasons[1]).toMatch(/^pass: latencyP95Ms: .* as observed by run-\d+, stage [0-9a-f]{12}/);
  expect(await findModel({ store, name: 'strict' })).toBeUndefined();
  expect(await report(handle)).toMatchObject({
    verdicts: [{ node: 'gate', verdict, reasons }],
    promotions: [{ node: 'promote', name: 'strict', alias: 'champion', promoted: false }],
  });

  const again = await run({ name: 'strict', gates });
  expect(ranIn((await again.result()).nodes)).toEqual([]);
  const why = expect.stringMatching(
    new RegExp(`^the same candidate, refused on \\d{4}-.* by run ${handle.runId}: .*is fail; .* below 0.9`),
  ) as string;
  expect(await explain({ runId: again.runId, store, node: 'promote' })).toMatchObject([{ status: 'reused', why }]);
  expect(await report(again)).toMatchObject({
    verdicts: [{ verdict, reasons }],
    promotions: [{ promoted: false, refusedBefore: { run: handle.runId } }],
  });
  const kinds = builtInStages.map(({ kind }) => kind);
  const preview = await previewPlan(plan({ name: 'strict', gates }), { kinds, queuePrefix: 'nightstill' });
  expect(preview.nodes.map(({ verdict: foreseen }) => foreseen)).toEqual(preview.nodes.map(() => 'reused'));
  expect(preview.nodes.at(-1)).toMatchObject({ id: 'promote', why });
});

it('a margin that the items do not resolve ends the run before anything is even imported', async () => {
  const gates = [{ score: 'exact-match', notWorseThan: 'champion', margin: 0.02, minItems: 1 }];
  const refusal = { code: 'gate-margin-too-small', message: expect.stringContaining('that 4 items resolve') as string };
  const handle = await run({ name: 'too-fine', gates });
  await expect(handle.result()).rejects.toMatchObject(refusal);
  const { types } = await historyOf(night.client, handle.runId);
  expect(types.filter((type) => type === 'EVENT_TYPE_ACTIVITY_TASK_SCHEDULED')).toHaveLength(1); // the resolution
});

it('a run that is asked to end after its promotion says promoted, and the name stays moved', async () => {
  const handle = await run({ name: 'ended', waitFor: join(files.directory, 'never'), waitBefore: 'end' });
  await until('the move', async () =>
    (await handle.state()).nodes.some(({ id, status }) => id === 'pause' && status === 'running'),
  );
  await handle.cancel();
  await expect(handle.result()).rejects.toMatchObject({ code: 'run-cancelled' });
  const moved = await findModel({ store, name: 'ended' });
  expect(moved).toMatchObject({ counter: 1 });
  expect(await report(handle)).toMatchObject({
    status: 'cancelled',
    promotions: [{ node: 'promote', name: 'ended', alias: 'champion', promoted: true }],
  });
});

it('a champion that moves before the promotion is met by the gate, which decides again', async () => {
  const rival = (await findModel({ store, name: 'nightly' }))?.current.digest ?? '';
  const waitFor = join(files.directory, 'go-on');
  const handle = await run({ name: 'contested', waitFor });
  await until('the run to be under way', async () =>
    (await handle.state()).nodes.some(({ id, status }) => id === 'pause' && status === 'running'),
  );
  await promoteModel({ store, name: 'contested', digest: rival, reason: 'by hand' });
  await writeFile(waitFor, '');
  const result = await handle.result();
  expect(await verdictOf(result)).toMatchObject({ verdict: 'pass', champion: { counter: 1, digest: rival } });
  expect(await findModel({ store, name: 'contested' })).toMatchObject({
    counter: 2,
    current: { digest: result.nodes['student']?.outputs['model']?.digest },
    history: [{ digest: rival }],
  });
});

it('a refusal is overtaken as well: against what serves since, the gate decides again', async () => {
  const rival = (await findModel({ store, name: 'nightly' }))?.current.digest ?? '';
  const waitFor = join(files.directory, 'leave');
  const gates = [{ score: 'exact-match', atLeast: 0.9, minItems: 1 }];
  const handle = await run({ name: 'refused', gates, waitFor, waitBefore: 'promote' });
  await until('a verdict', async () =>
    (await handle.state()).nodes.some(({ id, status }) => id === 'pause' && status === 'running'),
  );
  await promoteModel({ store, name: 'refused', digest: rival, reason: 'by hand' });
  await writeFile(waitFor, '');
  const result = await handle.result();
  expect(await verdictOf(result)).toMatchObject({ verdict: 'fail', champion: { counter: 1, digest: rival } });
  expect(await findModel({ store, name: 'refused' })).toMatchObject({ counter: 1, current: { digest: rival } });
  expect(await report(handle)).toMatchObject({ promotions: [{ node: 'promote', promoted: false }] });
});

it('a run whose gate is given scores that were measured otherwise ends by name, and promotes nothing', async () => {
  const gates = [{ score: 'exact-match', atLeast: 0, of: 'base', minItems: 1 }];
  const others = await files.newDataset(conversationLines(5));
  for (const [base, what] of [
    [{ dataset: others }, 'base: the dataset: expected the candidate'],
    [{ maximumTokens: 8 }, 'base: the options of the evaluation: expected the candidate'],
  ] as const) {
    const end = (await run({ name: 'unlike', gates, base })).result();
    await expect(end).rejects.toMatchObject({ code: 'gate-invalid', message: expect.stringContaining(what) });
  }
  expect(await findModel({ store, name: 'unlike' })).toBeUndefined();
});

it('a plan is followed anew only when the lookups of before have ended, whose ids are those of the next', async () => {
  const gate = join(files.directory, 'asked');
  const silent = createServer(() => void writeFile(gate, '')).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as AddressInfo;
  Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'nobody', AWS_SECRET_ACCESS_KEY: 'nothing' });
  const unanswered = `s3://bucket/rows.jsonl?region=us-east-1&endpoint=${encodeURIComponent(`http://127.0.0.1:${port}`)}`;
  const stages = [
    { id: 'import', uses: 'import', with: { dataset: unanswered } },
    { id: 'asked', with: { text: 'asked', waitFor: gate } },
    { id: 'overtaken', uses: 'failing', needs: ['asked'], with: { code: 'champion-moved' } },
  ];
  const handle = await night.start(files.newRunId(), smallPlan(files.newStore(), stages));
  await expect(handle.result()).rejects.toMatchObject({ code: 'champion-moved' });
  silent.close();
  silent.closeAllConnections();
  const { types } = await historyOf(night.client, handle.runId);
  const followed = 4;
  expect(types.filter((type) => type === 'EVENT_TYPE_ACTIVITY_TASK_CANCELED')).toHaveLength(followed);
  expect(types).not.toContain('EVENT_TYPE_WORKFLOW_TASK_FAILED');
});

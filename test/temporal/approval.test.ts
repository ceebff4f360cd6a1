/** Promotions that wait for a person: approved, rejected, left alone; decisions that are refused; and what happens to a run meanwhile. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exportModel } from '../../cli/export-model.js';
import {
  approve,
  findModel,
  openApprovals,
  promoteModel,
  reject,
  report,
  runLog,
  status,
  type Approval,
  type RunHandle,
} from '../../client/index.js';
import type { RunOutcome } from '../../config/plan.js';
import { openObjectStore, readRun } from '../../storage/index.js';
import { questionOf } from '../support/asked.js';
import type { NightFiles } from '../support/night-files.js';
import { nightstill } from '../support/nightstill.js';
import { until } from '../support/processes.js';
import { promotionFiles, promotionPlan, type PromotionPlan } from '../support/promotion-plan.js';
import { SmallNight, smallPlan, type SmallWorker } from '../support/small-night.js';

let files: NightFiles;
let night: SmallNight;
let orchestrator: SmallWorker;
let models: readonly [string, string];
let dataset: string;
/** One for all: what was measured once is found again, and a run comes to its question at once. */
let store: string;

beforeAll(async () => {
  ({ files, models, dataset, store } = await promotionFiles());
  night = await SmallNight.begin();
  await Promise.all([night.addWorker('io'), night.addWorker('gpu')]);
  orchestrator = await night.addWorker('orchestrator');
});

afterAll(async () => {
  await night.end();
  await files.remove();
});

/** That any student passes; no champion need be measured for them. */
const passes = [{ score: 'exact-match', atLeast: 0, minItems: 1 }];

type Ask = Partial<PromotionPlan> & { readonly name: string; readonly within?: string };

const run = ({ within = '1h', gates = passes, ...ask }: Ask): Promise<RunHandle> =>
  night.start(
    files.newRunId(),
    promotionPlan({ store, dataset, model: models[0], gates, promote: { approval: { within } }, ...ask }),
  );

async function promotionOf(handle: RunHandle) {
  await handle.result();
  return (await report(handle)).promotions[0];
}

const serves = async (name: string): Promise<string | undefined> => (await findModel({ store, name }))?.current.digest;

it('a student that passed its gate waits for a person, who sees what it is and approves it once', async () => {
  const handle = await run({ name: 'approved' });
  const seen = await questionOf(handle);
  expect(seen).toMatchObject({ node: 'promote', name: 'approved', alias: 'champion', champion: null });
  expect(seen.scores).toMatchObject([{ scorer: 'exact-match', items: 4 }]);
  expect(await openApprovals(handle)).toEqual([seen]);
  const shown = (await handle.state()).nodes.at(-1);
  expect(shown).toMatchObject({ status: 'awaiting-approval', approval: { verdict: seen.verdict } });
  expect(await detailsOf(handle)).toContain(`\`nightstill approve ${handle.runId} --node promote\``);
  expect(await serves('approved')).toBeUndefined();

  const first = await approve(handle, { seen, by: 'alice', reason: 'the scores hold' });
  expect(first).toMatchObject({ outcome: 'approved', by: 'alice', candidate: seen.candidate, verdict: seen.verdict });
  expect(await promotionOf(handle)).toMatchObject({ promoted: true, decision: first });
  expect(await serves('approved')).toBe(seen.candidate);
  // A call whose answer was lost is repeated, also after the end.
  expect(await approve(handle, { seen, by: 'alice', reason: 'the scores hold' })).toEqual(first);
  await expect(reject(handle, { seen, by: 'bob' })).rejects.toMatchObject({ code: 'approval-conflict' });
  const log = (await runLog(handle)).filter((entry) => 'node' in entry && entry.node === 'promote');
  expect(log.map((entry) => ('part' in entry ? [entry.part, entry.type] : entry.type))).toEqual([
    ...['scheduled', 'started', 'completed'].map((type) => ['approval', type]),
    'asked',
    'decided',
    ...['scheduled', 'started', 'completed'].map((type) => ['lookup', type]),
    ...['scheduled', 'started', 'completed'].map((type) => ['stage', type]),
  ]);
  expect(log).toContainEqual(expect.objectContaining({ type: 'decided', decision: first }));

  // Who, when and why is told by the history of the name, by the model card, and by the record of the run.
  expect((await findModel({ store, name: 'approved' }))?.current.reason).toMatch(
    /; approved by alice: the scores hold$/,
  );
  const exported = join(files.directory, 'exported');
  const about = { client: night.client, runId: 'approved/champion', directory: exported, node: undefined };
  await exportModel({ ...about, store, recordedIn: store });
  const card = await readFile(join(exported, 'README.md'), 'utf8');
  expect(card).toContain(`approved by alice at ${first.at}, on the verdict ${seen.verdict}`);
  expect(card).toContain(`承認者 alice、日時 ${first.at}`);
  expect((await recordOf(handle))?.nodes.at(-1)).toMatchObject({ id: 'promote', approval: { decision: first } });
});

it('one that is rejected, and one that nobody decides on in time, complete their runs without a promotion', async () => {
  const rejected = await run({ name: 'rejected' });
  const seen = await questionOf(rejected);
  const decision = await reject(rejected, { seen, by: 'bob', reason: 'not this week' });
  const why = 'rejected by bob: not this week';
  expect(await promotionOf(rejected)).toMatchObject({ promoted: false, why, decision });

  // The same student by the same verdict is nothing to ask about again; by another it is.
  const again = await run({ name: 'rejected' });
  const { nodes } = await again.result();
  expect(Object.keys(nodes).filter((id) => !nodes[id]?.reused)).toEqual([]);
  expect((await report(again)).promotions).toMatchObject([
    { promoted: false, why, refusedBefore: { run: rejected.runId, at: decision.at } },
  ]);
  expect((await status(again)).nodes.at(-1)).toMatchObject({
    status: 'reused',
    why: `the same candidate, refused on ${decision.at.slice(0, 10)} by run ${rejected.runId}: ${why}`,
  });
  const otherwise = await run({ name: 'rejected', gates: [{ score: 'exact-match', atLeast: 0, minItems: 2 }] });
  expect((await questionOf(otherwise)).candidate).toBe(seen.candidate);
  await otherwise.cancel();

  const expired = await run({ name: 'expired', within: '1s' });
  expect(await promotionOf(expired)).toMatchObject({ promoted: false, decision: { outcome: 'expired' } });
  const { approval } = (await status(expired)).nodes.at(-1)!;
  expect(approval?.decision).toMatchObject({ outcome: 'expired' });
  await expect(approve(expired, { seen: approval!, by: 'bob' })).rejects.toMatchObject({
    code: 'approval-not-open',
  });
  expect([await serves('rejected'), await serves('expired')]).toEqual([undefined, undefined]);
});

it('nobody is asked about a student that did not pass, or that serves already', async () => {
  const failing = await run({ name: 'failing', gates: [{ score: 'exact-match', atLeast: 0.9, minItems: 1 }] });
  expect(await promotionOf(failing)).toEqual(
    expect.objectContaining({ promoted: false, why: expect.stringContaining('fail') }),
  );
  const first = await run({ name: 'serving' });
  await approve(first, { seen: await questionOf(first), by: 'alice' });
  await first.result();
  const unchanged = await run({ name: 'serving' });
  await unchanged.result();
  for (const asking of [failing, unchanged])
    expect((await status(asking)).nodes.at(-1)).toEqual(expect.not.objectContaining({ approval: expect.anything() }));
});

it('a decision counts only for what the run asks at that moment, and the first one stands', async () => {
  const waitFor = join(files.directory, 'go-on');
  const handle = await run({ name: 'judged', waitFor });
  const other = `sha256:${'0'.repeat(64)}`;
  const early = { node: 'promote', candidate: other, verdict: other };
  const refused = async (seen: Pick<Approval, 'node' | 'candidate' | 'verdict'>, code: string, by = 'alice') =>
    expect(approve(handle, { seen, by })).rejects.toMatchObject({ code });
  await until('a plan', async () => (await handle.state()).nodes.length > 0);
  await refused(early, 'approval-not-open');
  await writeFile(waitFor, '');
  const seen = await questionOf(handle);
  await refused({ ...seen, node: 'gate' }, 'approval-invalid');
  await refused({ ...seen, node: 'nobody' }, 'approval-invalid');
  await refused({ ...seen, verdict: other }, 'approval-mismatch');
  await refused({ ...seen, candidate: other }, 'approval-mismatch');
  await refused(seen, 'approval-invalid', ' ');
  // Two people at once: whoever comes first decides, and who says the same is told of it.
  const [yes, no] = await Promise.allSettled([
    approve(handle, { seen, by: 'alice' }),
    reject(handle, { seen, by: 'bob' }),
  ]);
  const [won, lost] = yes.status === 'fulfilled' ? [yes, no] : [no, yes];
  expect([won.status, lost]).toEqual([
    'fulfilled',
    expect.objectContaining({ reason: expect.objectContaining({ code: 'approval-conflict' }) }),
  ]);
  expect((await promotionOf(handle))?.promoted).toBe(won === yes);
});

it('an approval of a verdict on another champion promotes nothing: the run asks anew', async () => {
  const rival = await importedModel();
  const handle = await run({ name: 'contested' });
  const before = await questionOf(handle);
  await promoteModel({ store, name: 'contested', digest: rival, reason: 'by hand' });
  await approve(handle, { seen: before, by: 'alice' });
  const now = await questionOf(handle, before);
  expect(now).toMatchObject({ candidate: before.candidate, champion: rival });
  await expect(approve(handle, { seen: before, by: 'alice' })).rejects.toMatchObject({ code: 'approval-mismatch' });
  expect(await serves('contested')).toBe(rival);
  await approve(handle, { seen: now, by: 'alice' });
  expect(await promotionOf(handle)).toMatchObject({ promoted: true, decision: { verdict: now.verdict } });
  expect(await serves('contested')).toBe(now.candidate);
});

it('a run that waits outlives its orchestrator, and takes the decision that was sent meanwhile', async () => {
  const handle = await run({ name: 'restarted' });
  const seen = await questionOf(handle);
  await orchestrator.stop();
  const nobody = approve(handle, { seen, by: 'alice', withinMs: 500 });
  await expect(nobody).rejects.toMatchObject({ code: 'approval-unanswered' });
  expect(await openApprovals(handle)).toEqual([seen]);
  const [decision, worker] = await Promise.all([
    approve(handle, { seen, by: 'alice', withinMs: 600_000 }),
    night.addWorker('orchestrator'),
  ]);
  orchestrator = worker;
  expect(decision).toMatchObject({ outcome: 'approved', by: 'alice' });
  expect(await promotionOf(handle)).toMatchObject({ promoted: true });
});

it('a decision that is sent after its time is refused, also when the run hears of both at once, and nothing is promoted', async () => {
  const handle = await run({ name: 'late', within: '15s' });
  const seen = await questionOf(handle);
  await orchestrator.stop();
  await until('the end of the waiting', () => Promise.resolve(Date.now() > seen.untilMs + 1000));
  const late = approve(handle, { seen, by: 'alice', withinMs: 600_000 }).then(
    () => undefined,
    (error: unknown) => error,
  );
  orchestrator = await night.addWorker('orchestrator');
  expect(await late).toMatchObject({ code: 'approval-not-open' });
  expect(await promotionOf(handle)).toMatchObject({ promoted: false, decision: { outcome: 'expired' } });
  expect((await status(handle)).nodes.at(-1)?.approval?.decision).toMatchObject({ outcome: 'expired' });
  expect(await serves('late')).toBeUndefined();
});

it('the command line shows what is decided, decides nothing without a yes, and says by its exit status what came of it', async () => {
  const handle = await run({ name: 'by-command' });
  const seen = await questionOf(handle);
  const command = (...words: string[]) =>
    nightstill([...words, '--by', 'carol'], { TEMPORAL_ADDRESS: night.temporal.address });
  const shown = await command('approve', handle.runId);
  expect(shown).toMatchObject({ status: 2, standardError: expect.stringContaining('Nothing was decided') });
  for (const part of [seen.candidate, seen.verdict, 'champion   none', 'exact-match', 'The gate let it pass:'])
    expect(shown.standardOutput).toContain(part);
  const other = `sha256:${'0'.repeat(64)}`;
  const mismatch = await command('reject', handle.runId, '--yes', '--verdict', other);
  expect(mismatch).toMatchObject({ status: 2, standardError: expect.stringContaining('approval-mismatch') });
  expect(await openApprovals(handle)).toEqual([seen]);
  const decided = await command('reject', handle.runId, '--yes', '--json', '--verdict', seen.verdict);
  expect(decided.status).toBe(0);
  expect(JSON.parse(decided.standardOutput)).toMatchObject({
    decided: true,
    decision: { outcome: 'rejected', by: 'carol' },
  });
  expect(await promotionOf(handle)).toMatchObject({ promoted: false, why: 'rejected by carol' });
});

it('a run that is cancelled while it waits promotes nothing, and takes no decision any more', async () => {
  const handle = await run({ name: 'cancelled' });
  const seen = await questionOf(handle);
  await handle.cancel();
  await expect(handle.result()).rejects.toMatchObject({ code: 'run-cancelled' });
  await expect(approve(handle, { seen, by: 'alice' })).rejects.toMatchObject({ code: 'approval-not-open' });
  expect((await status(handle)).nodes.at(-1)).toMatchObject({ id: 'promote', status: 'cancelled' });
  const command = nightstill(['approve', handle.runId, '--yes'], { TEMPORAL_ADDRESS: night.temporal.address });
  expect(await command).toMatchObject({ status: 2, standardOutput: '' });
  expect(await serves('cancelled')).toBeUndefined();
});

/** What Temporal shows of the workflow. */
async function detailsOf({ runId }: RunHandle): Promise<string> {
  const metadata = await night.client.workflow
    .getHandle(runId)
    .query<{ currentDetails?: string }>('__temporal_workflow_metadata');
  return metadata.currentDetails ?? '';
}

async function recordOf({ runId }: RunHandle): Promise<RunOutcome | undefined> {
  const opened = await openObjectStore(store);
  try {
    return (await readRun(opened, runId))?.outcome as unknown as RunOutcome;
  } finally {
    await opened.close();
  }
}

/** Digest of another model in the store. */
async function importedModel(): Promise<string> {
  const stages = [{ id: 'other', uses: 'import-model', with: { model: models[1] } }];
  const { nodes } = await (await night.start(files.newRunId(), smallPlan(store, stages))).result();
  return nodes['other']?.outputs['model']?.digest ?? '';
}

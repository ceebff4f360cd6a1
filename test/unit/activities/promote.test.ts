/** When a promotion moves a name, and what it says where it does not: an attempt that was cut off, and a champion that moved. */
import { promoteStudent } from '../../../activities/promote.js';
import { japaneseReason } from '../../../cli/report/japanese-reasons.js';
import type { ApprovalDecision } from '../../../config/approval.js';
import type { Json } from '../../../config/json.js';
import {
  canonicalJson,
  digestOf,
  openObjectStore,
  promote,
  readAlias,
  type ArtifactRef,
  type ObjectStore,
  type StageWriter,
} from '../../../storage/index.js';
import { intercept } from '../../support/intercepted-store.js';
import { claim, stageKeyOf } from '../../support/stage.js';
import { temporaryDirectory } from '../../support/temporary.js';

let store: ObjectStore;
let writer: StageWriter;
beforeEach(async () => {
  store = await openObjectStore(`file://${temporaryDirectory()}`, { forWriting: true });
  writer = await claim(store, stageKeyOf('promote'));
});
afterEach(() => store.close());

const artifact = async (kind: string, content: Json): Promise<ArtifactRef> =>
  writer.putArtifact({ kind, parts: [await writer.putBlob(Buffer.from(canonicalJson(content)))], meta: {} });

interface Person {
  readonly outcome: ApprovalDecision['outcome'];
  /** A digest that the decision is on, in place of what would be moved. */
  readonly candidate?: string;
}

/** One attempt of the stage. With a `person`, its plan asks for an approval; null: none was asked. */
async function attempt(
  verdict: 'pass' | 'fail',
  signal = new AbortController().signal,
  person?: Person | null,
  at = { store, writer },
) {
  const model = await artifact('model', { weights: 'of the student' });
  const decided = { version: 1, verdict, reasons: ['a line'], name: 'nightly', alias: 'champion' };
  const comparisons = [
    { outcome: 'pass', reason: 'fluency: 1 is at least 0.5' },
    { outcome: 'fail', reason: 'exact-match: 0.1 is below 0.9' },
  ];
  const record = { ...decided, candidate: model.digest, champion: null, comparisons, scores: [], read: {} };
  const inputs = { model, verdict: await artifact('verdict', record), dataset: undefined, trained: undefined };
  const seen = { node: 'promote', candidate: model.digest, verdict: inputs.verdict.digest, at: '2026-11-27T10:00:00Z' };
  const asked = person && { decision: { ...seen, by: 'alice', ...person } };
  const options = person === undefined ? {} : { approval: { within: 1000 } };
  const makers = { trained: 'a'.repeat(64) };
  const context = { options, ...asked, inputs, makers, preimage: {}, runId: 'run-1', ...at, signal };
  const product = await promoteStudent({ ...context, progress: () => undefined });
  const { why } = product.facts as { readonly why: string };
  expect(japaneseReason(why)).not.toBe(why); // a reason that a Japanese report would tell in English
  return product;
}

const served = () => readAlias(store, 'nightly', 'champion');

it('a move that an earlier attempt made is told, even if the run was asked to end since', async () => {
  const first = await attempt('pass');
  expect(await attempt('pass', AbortSignal.abort())).toEqual(first);
  expect(await served()).toMatchObject({
    counter: 1,
    current: { reason: 'passed its gate in run run-1: a line', trainedBy: 'a'.repeat(64) },
  });
});

it('a run that was asked to end moves nothing', async () => {
  await expect(attempt('pass', AbortSignal.abort(new Error('asked to end')))).rejects.toThrow('asked to end');
  expect(await served()).toBeUndefined();
});

describe('an attempt that was taken for dead and wakes', () => {
  it('moves nothing once another has begun', async () => {
    const before = { store, writer };
    writer = await claim(store, stageKeyOf('promote'), 2);
    await expect(attempt('pass', undefined, undefined, before)).rejects.toMatchObject({ code: 'fence-lost' });
    expect(await served()).toBeUndefined();
  });

  it('finds its move made by the other one, if it had announced it, even if the run was asked to end since', async () => {
    const asleep = intercept(store, {
      before: ({ key }) => {
        if (key.startsWith('models/')) throw new Error('asleep');
      },
    });
    await expect(attempt('pass', undefined, undefined, { store: asleep, writer })).rejects.toThrow('asleep');
    const before = { store, writer };
    writer = await claim(store, stageKeyOf('promote'), 2);
    expect(await attempt('pass', AbortSignal.abort())).toMatchObject({ facts: { promoted: true } });
    await attempt('pass', undefined, undefined, before).catch(() => undefined);
    expect(await served()).toMatchObject({ counter: 1 });
  });
});

it('no verdict counts against another champion than the one it was decided against, a refusal neither', async () => {
  expect(await attempt('fail')).toMatchObject({ facts: { promoted: false, why: 'the verdict of its gate is fail' } });
  const model = { kind: 'model', digest: digestOf('rival'), uri: 'file:///store/model', bytes: 1, indexBytes: 1 };
  const move = { name: 'nightly', alias: 'champion', expected: null, reason: 'by hand', operationId: '1' };
  await promote(store, { ...move, model });
  for (const verdict of ['fail', 'pass'] as const)
    await expect(attempt(verdict)).rejects.toMatchObject({ code: 'champion-moved' });
});

it('a refusal by its gate stands, and says by which requirement', async () => {
  expect(await attempt('fail')).toMatchObject({
    facts: {
      refused: {
        at: expect.stringMatching(/^\d{4}-\d\d-\d\dT/) as string,
        because: 'the verdict of its gate is fail; exact-match: 0.1 is below 0.9',
      },
    },
  });
  expect((await attempt('pass')).facts).not.toHaveProperty('refused');
});

describe('where the plan asks for an approval', () => {
  const person = (asked: Person | null) => attempt('pass', undefined, asked);

  it('only an approval promotes: no other decision does, and none at all neither', async () => {
    expect(await person(null)).toMatchObject({ facts: { promoted: false, why: 'nobody was asked to approve it' } });
    for (const outcome of ['rejected', 'expired'] as const)
      expect(await person({ outcome })).toMatchObject({ facts: { promoted: false, decision: { outcome } } });
    expect(await served()).toBeUndefined();
    expect(await person({ outcome: 'approved' })).toMatchObject({
      facts: { promoted: true, decision: { by: 'alice' } },
    });
    expect(await served()).toMatchObject({
      current: { reason: 'passed its gate in run run-1: a line; approved by alice' },
    });
  });

  it('what a person refused stands; that nobody answered, or nobody was asked, does not', async () => {
    const at = '2026-11-27T10:00:00Z';
    expect(await person({ outcome: 'rejected' })).toMatchObject({
      facts: { refused: { at, because: 'rejected by alice' } },
    });
    for (const asked of [null, { outcome: 'expired' }] as const)
      expect((await person(asked)).facts).not.toHaveProperty('refused');
  });

  it('an approval of anything else than what would be moved promotes nothing', async () => {
    const mismatch = { code: 'approval-mismatch' };
    await expect(person({ outcome: 'approved', candidate: digestOf('another') })).rejects.toMatchObject(mismatch);
    expect(await served()).toBeUndefined();
  });
});

/** When a promotion moves a name, and what it says where it does not: an attempt that was cut off, and a champion that moved. */
import { promoteStudent } from '../../../activities/promote.js';
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

/** One attempt of the stage. */
async function attempt(verdict: 'pass' | 'fail', signal = new AbortController().signal) {
  const model = await artifact('model', { weights: 'of the student' });
  const decided = { version: 1, verdict, reasons: ['a line'], name: 'nightly', alias: 'champion' };
  const record = { ...decided, candidate: model.digest, champion: null, comparisons: [], scores: [], read: {} };
  const inputs = { model, verdict: await artifact('verdict', record), dataset: undefined };
  const context = { options: {}, inputs, makers: {}, preimage: {}, runId: 'run-1', store, writer, signal };
  return promoteStudent({ ...context, progress: () => undefined });
}

const served = () => readAlias(store, 'nightly', 'champion');

it('a move that an earlier attempt made is told, even if the run was asked to end since', async () => {
  const first = await attempt('pass');
  expect(await attempt('pass', AbortSignal.abort())).toEqual(first);
  expect(await served()).toMatchObject({ counter: 1, current: { reason: 'passed its gate in run run-1: a line' } });
});

it('a run that was asked to end moves nothing', async () => {
  await expect(attempt('pass', AbortSignal.abort(new Error('asked to end')))).rejects.toThrow('asked to end');
  expect(await served()).toBeUndefined();
});

it('no verdict counts against another champion than the one it was decided against, a refusal neither', async () => {
  expect(await attempt('fail')).toMatchObject({ facts: { promoted: false, why: 'the verdict of its gate is fail' } });
  const model = { kind: 'model', digest: digestOf('rival'), uri: 'file:///store/model', bytes: 1, indexBytes: 1 };
  const move = { name: 'nightly', alias: 'champion', expected: null, reason: 'by hand', operationId: '1' };
  await promote(store, { ...move, model });
  for (const verdict of ['fail', 'pass'] as const)
    await expect(attempt(verdict)).rejects.toMatchObject({ code: 'champion-moved' });
});

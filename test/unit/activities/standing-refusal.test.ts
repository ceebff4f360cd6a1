/** When a refusal of before is taken for the refusal of this night, and when the stage acts anew. */
import { identifyStage } from '../../../activities/stage-key.js';
import { stageBefore, standingRefusal } from '../../../activities/standing-refusal.js';
import { promoteStage } from '../../../plugins/promote-stage.js';
import {
  addRunStages,
  canonicalJson,
  digestOf,
  openObjectStore,
  openRun,
  promote,
  type ArtifactRef,
  type Json,
  type JsonObject,
  type ObjectStore,
} from '../../../storage/index.js';
import { claim, newRun, stageKeyOf } from '../../support/stage.js';
import { temporaryDirectory } from '../../support/temporary.js';

const { kind } = promoteStage;
let store: ObjectStore;
beforeEach(async () => {
  store = await openObjectStore(`file://${temporaryDirectory()}`, { forWriting: true });
});
afterEach(() => store.close());

async function artifact(kindOfArtifact: string, content: Json): Promise<ArtifactRef> {
  const writer = await claim(store, stageKeyOf(canonicalJson(content)));
  return writer.putArtifact({
    kind: kindOfArtifact,
    parts: [await writer.putBlob(Buffer.from(canonicalJson(content)))],
    meta: {},
  });
}

interface Night {
  readonly run: string;
  readonly options?: JsonObject;
  /** Of the gate that decided. */
  readonly reasons?: readonly string[];
}

async function workOf({ run, options = {}, reasons = ['a line'] }: Night) {
  const model = await artifact('model', { weights: 'of the student' });
  const decided = { version: 1, verdict: 'fail', reasons, name: 'nightly', alias: 'champion' };
  const record = { ...decided, candidate: model.digest, champion: null, comparisons: [], scores: [], read: {} };
  const inputs = { model, verdict: await artifact('verdict', record) };
  return { inputs, ...(await identifyStage(kind, { with: options, inputs, runId: run })) };
}

const refused = { at: '2026-11-26T03:10:00Z', because: 'rejected by bob' };

/** The night before, which came to these facts. */
async function nightBefore(facts: JsonObject, night: Night = { run: 'night-1' }): Promise<string> {
  const { stageKey, preimage } = await workOf(night);
  const writer = await claim(store, stageKey);
  const outputs = { promotion: await writer.putArtifact({ kind: 'promotion', parts: [], meta: {} }) };
  await writer.seal({ preimage, outputs, facts, observations: {}, reproducible: false });
  return stageKey;
}

async function standsFor(night: Night, before: string) {
  const { inputs, preimage } = await workOf(night);
  return standingRefusal(store, { kind, inputs, preimage, before });
}

it('the same candidate by the same verdict is refused as before, and who asks is told when, by whom and why', async () => {
  const before = await nightBefore({ promoted: false, refused });
  expect(await standsFor({ run: 'night-2' }, before)).toMatchObject({
    stageKey: before,
    why: 'the same candidate, refused on 2026-11-26 by run night: rejected by bob',
  });
});

it.each<[string, Night]>([
  ['another verdict', { run: 'night-2', reasons: ['another line'] }],
  ['other options', { run: 'night-2', options: { licence: 'mit' } }],
])('with %s it acts anew', async (_what, night) => {
  expect(await standsFor(night, await nightBefore({ promoted: false, refused }))).toBeUndefined();
});

it('what was promoted, or was left alone for that night, is no refusal', async () => {
  const before = await nightBefore({ promoted: false, why: 'nobody decided' });
  expect(await standsFor({ run: 'night-2' }, before)).toBeUndefined();
});

it('against what serves since, it acts anew', async () => {
  const before = await nightBefore({ promoted: false, refused });
  const model = { kind: 'model', digest: digestOf('rival'), uri: 'file:///store/model', bytes: 1, indexBytes: 1 };
  const move = { name: 'nightly', alias: 'champion', expected: null, reason: 'by hand', operationId: '1' };
  await promote(store, { ...move, model });
  expect(await standsFor({ run: 'night-2' }, before)).toBeUndefined();
});

it('before is what the run itself came to, when it is started again, or else what the runs before it did', async () => {
  const [earlier, own] = [stageKeyOf('earlier'), stageKeyOf('own')];
  const opened = (id: string) => openRun(store, newRun(id, digestOf('the plan'), 'nightly'));
  await opened('night-1');
  await addRunStages(store, 'night-1', { promote: earlier });
  await opened('night-2');
  expect(await stageBefore(store, 'night-2', 'promote')).toBe(earlier);
  await addRunStages(store, 'night-2', { promote: own });
  expect(await stageBefore(store, 'night-2', 'promote')).toBe(own);
  expect(await stageBefore(store, 'night-3', 'promote')).toBeUndefined();
});

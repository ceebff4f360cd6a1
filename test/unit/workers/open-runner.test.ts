/** What a process learns of the checkpoint that it will go on from, before it loads the library that computes. */
import { pathToFileURL } from 'node:url';
import { initialLogitState } from '../../../distillation/logits/logit-state.js';
import { openObjectStore, type Json, type ObjectStore } from '../../../storage/index.js';
import { recordedFingerprint } from '../../../workers/open-runner.js';
import { claim, keysOf, stageKeyOf } from '../../support/stage.js';
import { temporaryDirectory } from '../../support/temporary.js';

const fingerprint = { runner: 'tensorflow', gpu: false, threads: 2, XLA_FLAGS: '--xla_cpu_enable_fast_math=true' };

let store: ObjectStore;
beforeAll(async () => {
  store = await openObjectStore(pathToFileURL(temporaryDirectory()).href, { forWriting: true });
});
afterAll(() => store.close());

async function saved(name: string, ...states: Json[]): Promise<string> {
  const writer = await claim(store, stageKeyOf(name));
  for (const [index, state] of states.entries()) await writer.save({ step: index + 1, state }).durable;
  return stageKeyOf(name);
}

it.each<[string, Json]>([
  ['a training', { version: 1, progress: { version: 1, step: 3, fingerprint }, shapes: {}, resumedInexactlyAt: [] }],
  ['a capture', JSON.parse(JSON.stringify({ ...initialLogitState(1), fingerprint })) as Json],
  ['an evaluation', { parts: [], divergences: [], fingerprint, resumedInexactlyAt: [] }],
])('the fingerprint of the newest checkpoint is known: of %s', async (name, state) => {
  const key = await saved(name, { fingerprint: { runner: 'another' } }, state);
  expect(await recordedFingerprint(await claim(store, key, 2))).toEqual(fingerprint);
});

it.each<[string, Json[]]>([
  ['begins', []],
  ['has recorded none', [{ rows: 3 }]],
])('a stage that %s has none', async (name, states) => {
  expect(await recordedFingerprint(await claim(store, await saved(name, ...states), 2))).toBeUndefined();
});

it('a checkpoint that is gone is left to whoever restores it', async () => {
  const key = await saved('lost', { fingerprint });
  const writer = await claim(store, key, 2);
  for (const lost of await keysOf(store, `checkpoints/${key}/`))
    if (/\/\d+-\d+\.json$/.test(lost)) await store.remove(lost);
  expect(await recordedFingerprint(writer)).toBeUndefined();
});

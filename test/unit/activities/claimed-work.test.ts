/** What a stage makes is held against what it declares, whether a function or a child process does the work. */
import { pathToFileURL } from 'node:url';
import { workUnderClaim } from '../../../activities/claimed-work.js';
import { lookupResult, openObjectStore, type ObjectStore, type StageWriter } from '../../../storage/index.js';
import { nobodyIsOpen, outcomeOf, owner, stageKeyOf } from '../../support/stage.js';
import { temporaryDirectory } from '../../support/temporary.js';

let store: ObjectStore;
beforeAll(async () => {
  store = await openObjectStore(pathToFileURL(temporaryDirectory()).href, { forWriting: true });
});
afterAll(() => store.close());

function work(name: string, declared: Readonly<Record<string, string>>, doing: (writer: StageWriter) => Promise<void>) {
  const claim = { stageKey: stageKeyOf(name), owner: owner(), isOpen: nobodyIsOpen };
  const stage = { ...claim, uses: 'mine', preimage: { kind: 'mine' }, declared };
  return workUnderClaim(store, stage, async (writer) => {
    await doing(writer);
    return outcomeOf(writer);
  });
}

const nothing = (): Promise<void> => Promise.resolve();

it.each<[string, Readonly<Record<string, string>>, string]>([
  ['that is not declared', {}, '"dataset": expected no such output, found dataset'],
  ['of another kind', { dataset: 'model' }, '"dataset": expected model, found dataset'],
  ['too few', { dataset: 'dataset', metrics: 'metrics' }, '"metrics": expected metrics, found none'],
])('an output %s is refused, and nothing is recorded', async (name, declared, told) => {
  await expect(work(name, declared, nothing)).rejects.toMatchObject({
    code: 'stages-invalid',
    message: `stage mine, output ${told}`,
  });
  expect(await lookupResult(store, stageKeyOf(name))).toBeUndefined();
});

it('a stage that was finished meanwhile gives its recorded outputs, and is not worked at again', async () => {
  let worked = 0;
  const count = async (): Promise<void> => void (worked += 1);
  const first = await work('finished', { dataset: 'dataset' }, count);
  expect(await work('finished', { dataset: 'dataset' }, count)).toEqual(first);
  expect(worked).toBe(1);
});

/** What a lookup asks of the store: on S3 each of these is a request, and most nodes of most nights are nothing but a lookup. */
import { lookUpStage } from '../../../activities/lookup.js';
import { StageNames } from '../../../activities/stage-names.js';
import { openObjectStore, openRun } from '../../../storage/index.js';
import { intercept, type StoreOperation } from '../../support/intercepted-store.js';
import { NightFiles } from '../../support/night-files.js';
import { smallStages } from '../../support/small-stages.js';
import { claim, newRun, outcomeOf, stageKeyOf } from '../../support/stage.js';

const [{ kind } = { kind: undefined }] = smallStages;

it('a result that is there costs one write, and one reading each of the record of the run, of the result and of what it names', async () => {
  if (!kind) throw new Error('expected a stage');
  const files = await NightFiles.create();
  const store = await openObjectStore(files.newStore(), { forWriting: true });
  const stageKey = stageKeyOf('a stage');
  const writer = await claim(store, stageKey);
  await writer.seal(await outcomeOf(writer));
  await openRun(store, newRun('run'));
  const counts: Partial<Record<StoreOperation, number>>[] = [];
  const counting = intercept(store, {
    before({ operation }) {
      const count = counts.at(-1) ?? {};
      count[operation] = (count[operation] ?? 0) + 1;
    },
  });
  const names = new StageNames();
  for (const node of ['first', 'second', 'third']) {
    counts.push({});
    const found = await lookUpStage(counting, kind, { runId: 'run', node }, { stageKey, preimage: {} }, names);
    expect(found.outputs).toHaveProperty('dataset');
  }
  // The run, the result, the index of its output; then its one part.
  const lookup = { putIfMatch: 1, get: 3, describe: 1 };
  // The record of the run is known from the lookup before.
  expect(counts).toEqual([lookup, { ...lookup, get: 2 }, { ...lookup, get: 2 }]);
  await store.close();
  await files.remove();
});

it('a record that another process has moved meanwhile is read once more, and nothing of it is lost', async () => {
  const files = await NightFiles.create();
  const store = await openObjectStore(files.newStore(), { forWriting: true });
  await openRun(store, newRun('run'));
  const [here, elsewhere] = [new StageNames(), new StageNames()];
  await here.add(store, 'run', 'first', stageKeyOf('first'));
  await elsewhere.add(store, 'run', 'second', stageKeyOf('second'));
  const { stages } = await here.add(store, 'run', 'third', stageKeyOf('third'));
  expect(Object.keys(stages).sort()).toEqual(['first', 'second', 'third']);
  await store.close();
  await files.remove();
});

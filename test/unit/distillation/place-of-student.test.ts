import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { placeOf } from '../../../distillation/training/outputs.js';
import { openObjectStore } from '../../../storage/index.js';
import { claim, stageKeyOf } from '../../support/stage.js';
import { temporaryDirectory } from '../../support/temporary.js';

const claimedIn = async (directory: string, attempt = 1) => {
  const store = await openObjectStore(`file://${directory}`, { forWriting: true });
  const writer = await claim(store, stageKeyOf('a training'), attempt);
  await store.close();
  return writer;
};

it('a student is written where no other project of this host writes the same student, and what killed claims left is removed', async () => {
  const [ours, theirs, workDirectory] = [temporaryDirectory(), temporaryDirectory(), temporaryDirectory()];
  const killed = await placeOf({ workDirectory, writer: await claimedIn(ours) });
  const other = await placeOf({ workDirectory, writer: await claimedIn(theirs) });
  for (const place of [killed, other]) mkdirSync(place);
  const next = await placeOf({ workDirectory, writer: await claimedIn(ours, 2) });
  mkdirSync(next);
  expect(new Set([killed, other, next]).size).toBe(3);
  expect(
    readdirSync(workDirectory)
      .map((name) => join(workDirectory, name))
      .sort(),
  ).toEqual([other, next].sort());
});

/** What answering tells whoever watches: everything that is done, with its count, so that silence means that nothing is. */
import { showsWork, type Progress } from '../../../../config/child-protocol.js';
import { answerRows } from '../../../support/answer-rows.js';
import { teacherAndStore } from '../../../support/teacher-and-store.js';

const rows = 5;
const here = teacherAndStore('once');

it('every answer that is asked for, moved into a shard and put into the dataset is told, and each telling shows work', async () => {
  const told: Progress[] = [];
  await answerRows(here, { rows, send: (progress) => told.push(progress) });
  const counts = (phase: string): (number | undefined)[] =>
    told.filter((progress) => progress.phase === phase).map(({ facts }) => facts?.done);
  expect(counts('ask')).toEqual([1, 2, 3, 4, 5]);
  // Told when it begins, when each is read and when each has gone.
  expect(counts('compact')).toEqual([undefined, ...Array<number>(rows).fill(0), 1, 2, 3, 4, 5]);
  expect(counts('assemble')).toEqual([1, 2, 3, 4, 5]);
  told.forEach((progress, at) => expect(showsWork(told[at - 1], progress)).toBe(true));
  expect(told.at(-1)).toMatchObject({ phase: 'assemble', facts: { of: rows }, durable: { step: rows, fence: 1 } });
});

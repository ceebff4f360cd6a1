/** A request that the endpoint cannot answer is given up alone; an endpoint that answers nobody ends the attempt. */
import type { Fault } from '../../../support/counting-teacher.js';
import { faults } from '../../../support/counting-teacher.js';
import { answerRows } from '../../../support/answer-rows.js';
import { teacherAndStore } from '../../../support/teacher-and-store.js';

const here = teacherAndStore();
const limits = { parallel: 1, attempts: 2 };

/** The requests for these rows meet the fault, as often as they are asked. */
const failRows = (fault: Fault, hits: (row: number) => boolean): void => {
  here.server.faultFor = ({ body: { messages } }) => {
    const row = Number(/question (\d+)/.exec(messages.at(-1)?.content ?? '')?.[1]);
    return hits(row) ? fault : undefined;
  };
};

const timesAsked = (): number[] => [...here.server.timesAsked.values()];

it.each([
  ['the connection breaks', faults.hangUp, 2],
  ['the server fails', faults.status(500), 2],
  ['the answer breaks off', faults.brokenOff, 2],
  ['the reply is none', faults.otherJson, 2],
])('a request for which %s each time is failed; the others are answered', async (_, fault, times) => {
  failRows(fault, (row) => row === 1);
  const { summary, dataset } = await answerRows(here, { rows: 4, limits, minimumYield: 0.5 });
  expect(summary.fates).toEqual({ answered: 3, failed: 1 });
  expect(dataset.rows).toBe(3);
  expect(timesAsked()).toEqual([1, times, 1, 1]);
});

it('a request that is answered by silence is asked twice, however often others would be', async () => {
  failRows(faults.silent, (row) => row === 1);
  const patient = { parallel: 1, attempts: 6, timeout: 100 };
  const { summary } = await answerRows(here, { rows: 3, limits: patient, minimumYield: 0.5 });
  expect(summary.fates).toEqual({ answered: 2, failed: 1 });
  expect(timesAsked()).toEqual([1, 2, 1]);
});

it('of an endpoint that answers nobody any more one request is given up at most', async () => {
  failRows(faults.hangUp, (row) => row >= 2);
  const answering = answerRows(here, { rows: 10, limits, minimumYield: 0 });
  await expect(answering).rejects.toMatchObject({ code: 'teacher-unavailable' });
  expect(timesAsked()).toEqual([1, 1, 2, 2]);
});

it('an endpoint that answers nobody from the start gives up no request', async () => {
  failRows(faults.hangUp, () => true);
  await expect(answerRows(here, { rows: 3, limits })).rejects.toMatchObject({ code: 'teacher-unavailable' });
  expect(timesAsked()).toEqual([2]);
});

it('an endpoint that is away is asked twice as often, and gives up no request', async () => {
  failRows(faults.status(503), (row) => row === 1);
  await expect(answerRows(here, { rows: 3, limits })).rejects.toMatchObject({ code: 'teacher-unavailable' });
  expect(timesAsked()).toEqual([1, 4]);
});

it('too many failed requests fail the stage, with what came in place of replies', async () => {
  failRows(faults.status(500), (row) => row % 2 === 1);
  await expect(answerRows(here, { rows: 10, limits })).rejects.toMatchObject({
    code: 'answer-yield-too-low',
    message: expect.stringMatching(/2 without: 2 failed; calls that brought no reply: status 500 ×4$/),
  });
});

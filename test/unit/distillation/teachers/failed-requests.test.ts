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

it('requests that come last, or stand first, are given up like any other', async () => {
  failRows(faults.hangUp, (row) => row === 0 || row >= 4);
  const { summary } = await answerRows(here, { rows: 6, limits, minimumYield: 0.5 });
  expect(summary.fates).toEqual({ answered: 3, failed: 3 });
});

it('requests that alone are left of an earlier attempt are given up beside what that one recorded', async () => {
  failRows(faults.status(401), (row) => row === 3);
  await expect(answerRows(here, { rows: 5, limits })).rejects.toMatchObject({ code: 'teacher-refused-key' });
  failRows(faults.hangUp, (row) => row >= 3);
  const { summary } = await answerRows(here, { rows: 5, limits, minimumYield: 0.5 });
  expect(summary.fates).toEqual({ answered: 3, failed: 2 });
});

it('of an endpoint that answers nobody any more a few requests are tried, and none is given up', async () => {
  failRows(faults.hangUp, (row) => row >= 2);
  const answering = answerRows(here, { rows: 20, limits, minimumYield: 0 });
  await expect(answering).rejects.toMatchObject({ code: 'teacher-unavailable' });
  expect(timesAsked()).toEqual([1, 1, 2, 2, 2, 2, 2]);
});

it('an endpoint that answers nobody from the start gives up no request', async () => {
  failRows(faults.hangUp, () => true);
  const answering = answerRows(here, { rows: 3, limits, minimumYield: 0 });
  await expect(answering).rejects.toMatchObject({ code: 'teacher-unavailable' });
});

it('an endpoint that is away is asked twice as often, and gives up no request', async () => {
  failRows(faults.status(503), (row) => row === 1);
  await expect(answerRows(here, { rows: 3, limits })).rejects.toMatchObject({ code: 'teacher-unavailable' });
  expect(timesAsked()).toEqual([1, 4]);
});

it('a request that has waited for an endpoint that was away still has its own tries', async () => {
  const inTurn = [faults.status(503), faults.status(503), faults.status(429), faults.hangUp];
  here.server.next(...inTurn);
  const { summary } = await answerRows(here, { rows: 1, limits });
  expect(summary.fates).toEqual({ answered: 1 });
  expect(timesAsked()).toEqual([inTurn.length + 1]);
});

it('where too few are left, the attempt ends by what failed, so that all are asked again', async () => {
  failRows(faults.status(500), (row) => row % 2 === 1);
  const answering = answerRows(here, { rows: 8, limits });
  await expect(answering).rejects.toMatchObject({
    code: 'teacher-unavailable',
    message: expect.stringContaining('status 500'),
  });
});

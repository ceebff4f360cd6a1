/** What an attempt at an evaluation leaves to the next one, on a real store. */
import { linesOf, type ItemResult } from '../../../evaluation/evaluate/item-result.js';
import { ScoreWriter } from '../../../evaluation/evaluate/score-writer.js';
import { openObjectStore, type ObjectStore, type StageWriter } from '../../../storage/index.js';
import { claim, stageKeyOf } from '../../support/stage.js';
import { temporaryDirectory } from '../../support/temporary.js';

let store: ObjectStore;
beforeAll(async () => (store = await openObjectStore(`file://${temporaryDirectory()}/store`, { forWriting: true })));
afterAll(() => store.close());

const resume = (writer: StageWriter): Promise<ScoreWriter> =>
  ScoreWriter.resume({
    store,
    writer,
    fingerprint: {},
    onDifferentMachine: 'continue',
    onRead: () => undefined,
  });

const result = (at: number): ItemResult => ({
  id: `item-${at}`,
  scores: { 'exact-match': { score: 1, detail: '' } },
  text: 'yes',
  finish: 'stop',
  promptTokens: 3,
  generatedTokens: 2,
});

/** Answers to the items from `work.results.length` on, each of which took as long as its number. */
async function answer(work: ScoreWriter, until: number): Promise<void> {
  for (let at = work.results.length; at < until; at += 1) await work.add(result(at), at);
}

const numbers = (count: number): number[] => Array.from({ length: count }, (_, at) => at);

/** Two parts of 16 are durable when it dies. */
async function dyingAttempt(name: string): Promise<void> {
  const work = await resume(await claim(store, stageKeyOf(name)));
  await answer(work, 35);
  await work.saveNow();
}

it('an attempt goes on with the latencies of the items that are durable, and has each item once', async () => {
  await dyingAttempt('goes on');
  const work = await resume(await claim(store, stageKeyOf('goes on'), 2));
  expect(work.results).toHaveLength(32);
  expect(work.latenciesMs).toEqual(numbers(32));
  await answer(work, 40);
  expect(work.latenciesMs).toEqual(numbers(40));
  await work.finish();
  expect(work.latenciesMs).toEqual(numbers(40));
});

it('latencies change nothing in the artifact, and an item that was not asked has none', async () => {
  const ends = await Promise.all(
    [1, 1000, undefined].map(async (latencyMs) => {
      const work = await resume(await claim(store, stageKeyOf(`latency ${latencyMs}`)));
      for (const at of numbers(20)) await work.add(result(at), latencyMs);
      return { ...(await work.finish()), measured: work.latenciesMs.length };
    }),
  );
  expect(new Set(ends.map(({ digest }) => digest)).size).toBe(1);
  expect(ends.map(({ measured }) => measured)).toEqual([20, 20, 0]);
});

it('a checkpoint of before latencies were kept is gone on from', async () => {
  const writer = await claim(store, stageKeyOf('of before'));
  const part = await writer.putBlob(linesOf(numbers(16).map(result)));
  const state = { parts: [{ ...part, rows: 16 }], divergences: [], fingerprint: {}, resumedInexactlyAt: [] };
  await writer.save({ step: 1, state, references: [part] }).durable;
  const work = await resume(await claim(store, stageKeyOf('of before'), 2));
  expect([work.results.length, work.latenciesMs.length]).toEqual([16, 0]);
  await answer(work, 18);
  expect(work.latenciesMs).toEqual([16, 17]);
});

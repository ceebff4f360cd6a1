/**
 * Processes that have prompts answered, killed and stopped on the way and taken up by new ones, without Temporal. A model on this machine
 * gives the same answers as one that is undisturbed, none of them written twice. A teacher behind an endpoint, which knows no request again
 * and counts what it hears, is asked for nothing that is recorded, and never sends a bill above the cap.
 */
import { z } from 'zod';
import type { Progress } from '../../config/child-protocol.js';
import { readArtifact, readBlob, type ArtifactRef, type StageResult } from '../../storage/index.js';
import { startAnswering } from '../support/answering-process.js';
import { recordedIn } from '../support/answers.js';
import type { AskingKill } from '../support/asking-kill.js';
import { CountingTeacher, faults } from '../support/counting-teacher.js';
import { conversationLines } from '../support/model-fixtures.js';
import { until } from '../support/processes.js';
import { bytesOf, claim, keysOf, stageKeyOf } from '../support/stage.js';
import { openPlace, type StorePlace } from '../support/store-place.js';
import {
  storeDataset,
  trainerPid,
  TrainingGround,
  wasm,
  type Supervision,
  type TrainingTask,
} from '../support/training-stage.js';

/** Each has a record of answers of its own. */
let quiet: TrainingGround;
let stormy: TrainingGround;
let undisturbed: StageResult;
beforeAll(async () => {
  [quiet, stormy] = await Promise.all([TrainingGround.create(), TrainingGround.create()]);
  undisturbed = await answer(quiet, 'undisturbed');
});

const prompts = 24;

/** Two answers to each prompt, drawn. */
async function answer(ground: TrainingGround, name: string, changes: Partial<TrainingTask> = {}, watch?: Supervision) {
  const dataset = await ground.storeConversations(conversationLines(prompts));
  const options = { samples: 2, temperature: 1, ...changes.with };
  const task = { name, uses: 'answer', numerics: wasm, inputs: { dataset, teacher: ground.large } } as const;
  return ground.train({ ...task, ...changes, with: options }, watch);
}

const linesOf = async (ground: TrainingGround, { outcome }: StageResult, output: string) => {
  const { parts } = await readArtifact(ground.store, outcome.outputs[output]!);
  const text = Buffer.concat(await Promise.all(parts.map((part) => readBlob(ground.store, part)))).toString();
  return text
    .trimEnd()
    .split('\n')
    .map((line) => rowSchema.parse(JSON.parse(line)));
};
const rowSchema = z.looseObject({ id: z.string(), messages: z.array(z.object({ content: z.string() })).optional() });

const essence = ({ outcome: { outputs, facts, reproducible } }: StageResult) => ({
  outputs: Object.fromEntries(Object.entries(outputs).map(([name, { digest }]) => [name, digest])),
  facts,
  reproducible,
});

const observedCalls = z.object({ tokensPerSecond: z.number() });

/** Kept by each process that has asked, in the order of their attempts. */
async function journalsOf(ground: TrainingGround, name: string) {
  const keys = (await keysOf(ground.store, 'responses/')).filter((key) => key.includes(`/sessions/${name}/`));
  const journals = await Promise.all(
    keys.map(async (key) => journalSchema.parse(JSON.parse((await bytesOf(ground.store, key)).toString()))),
  );
  return journals.sort((one, other) => one.holder.fence - other.holder.fence);
}
const callsSchema = z.record(z.string(), z.unknown()).transform((calls) => Object.keys(calls).length);
const journalSchema = z
  .object({
    holder: z.object({ fence: z.number() }),
    answered: z.object({ calls: z.number() }),
    open: callsSchema,
    lost: callsSchema,
  })
  .transform(({ answered, ...journal }) => ({ ...journal, answered: answered.calls }));

/** Disturbs an attempt as soon as it has written an answer that was not there. @returns the code that it ended with */
async function disturb(how: (abort: AbortController) => void): Promise<unknown> {
  const before = (await recordedIn(stormy.store.url)).length;
  const abort = new AbortController();
  let isDisturbed = false;
  const onProgress = ({ durable }: Progress): void => {
    if (isDisturbed || (durable?.step ?? 0) <= before) return;
    isDisturbed = true;
    how(abort);
  };
  return answer(stormy, 'disturbed', {}, { signal: abort.signal, onProgress }).then(
    () => undefined,
    (error: { readonly code?: unknown }) => error.code,
  );
}

const kill = (): void => void process.kill(trainerPid('answer'), 'SIGKILL');
const stop = (abort: AbortController): void => abort.abort(Object.assign(new Error('stop'), { code: 'stopped' }));

test('a teacher on this machine, killed and stopped, writes only what is missing and leaves the same answers', async () => {
  expect(undisturbed.outcome.reproducible).toBe(true);
  expect(await disturb(kill)).toBe('child-died');
  expect(await disturb(stop)).toBe('stopped');
  const resumed = await answer(stormy, 'disturbed');
  expect(essence(resumed)).toEqual(essence(undisturbed));

  const journals = await journalsOf(stormy, 'disturbed');
  expect(journals).toHaveLength(3);
  for (const { answered, open, lost } of journals) {
    expect(answered).toBeGreaterThan(0);
    expect(open).toBe(0);
    // Of each attempt that was cut off: what was under way, at most twice as many as are written at once.
    expect(lost).toBeLessThanOrEqual(2 * 8);
  }
  expect(journals.reduce((sum, { answered }) => sum + answered, 0)).toBe(2 * prompts);
  expect(journals.at(-1)?.lost).toBe(0);

  // What is recorded is found by whoever asks the same: another stage writes nothing.
  const again = await answer(stormy, 'again');
  expect(essence(again)).toEqual(essence(undisturbed));
  expect(observedCalls.parse(again.outcome.observations).tokensPerSecond).toBe(0);
  expect(await journalsOf(stormy, 'again')).toMatchObject([{ answered: 0, lost: 0 }]);
});

test('every answer bears its key, the digest of the weights, its tokens and no money; samples differ', async () => {
  const answers = await linesOf(quiet, undisturbed, 'answers');
  expect(answers).toHaveLength(2 * prompts);
  for (const each of answers)
    expect(each).toMatchObject({
      key: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
      revision: quiet.large.digest,
      finishReason: expect.stringMatching(/^(stop|length)$/) as string,
      completionTokens: expect.any(Number) as number,
      spentUsd: 0,
    });
  const rows = await linesOf(quiet, undisturbed, 'dataset');
  expect(rows.slice(0, 2).map(({ id }) => id)).toEqual(['row-0#0', 'row-0#1']);
  const texts = rows.map(({ messages = [] }) => messages.at(-1)?.content);
  expect(texts[0]).not.toBe(texts[1]);
  expect(undisturbed.outcome.observations).toMatchObject({ spentUsd: 0, prices: 'not given' });
});

test('a prompt without room for an answer is one request that is rejected, and too many of them fail the stage', async () => {
  await expect(answer(quiet, 'no room', { with: { context: 8, temperature: 1 } })).rejects.toMatchObject({
    code: 'answer-yield-too-low',
    message: expect.stringMatching(/rejected; calls that brought no reply: .*longer one ×\d+/) as string,
  });
});

describe('a teacher behind an endpoint that knows no request again, through five kills of who asks', () => {
  const [keys, parallel, between, kills] = [16, 3, 2, 5];
  /** Only the five tokens of an answer cost something: each call costs what is reserved for it. */
  const callUsd = 0.00001;
  /** Two calls more than are made until the last kill. */
  const affordable = kills * (between + parallel) + 2;

  let place: StorePlace;
  let teacher: CountingTeacher;
  let dataset: ArtifactRef;
  beforeEach(async () => {
    [place, teacher] = [await openPlace('a directory'), await CountingTeacher.start()];
    dataset = await storeDataset(await claim(place.store, stageKeyOf('prompts')), conversationLines(keys));
  });
  afterEach(async () => {
    await teacher.stop();
    await place.close();
  });

  let attempt = 0;
  function begin(callsAtMost: number, { timeout = '280s', point }: { timeout?: string; point?: AskingKill } = {}) {
    const options = {
      teacher: {
        endpoint: teacher.endpoint,
        model: 'large',
        revision: '2026-11',
        terms: { licence: 'MIT', allowsTraining: 'yes' },
        prices: { inputUsdPerMillion: 0, outputUsdPerMillion: 2, asOf: '2026-11-27' },
        limits: { parallel, timeout },
      },
      budget: { spendAtMostUsd: callsAtMost * callUsd },
      maximumTokens: 5,
    };
    return startAnswering({ url: place.url, dataset, options, attempt: (attempt += 1), point });
  }

  /** The next process hears some answers, and is killed with all its other calls under way: by us, or between a response and its record. */
  async function killOne(moment: 'asking' | 'recording'): Promise<void> {
    const before = teacher.asked.length;
    let answerOne = (): void => undefined;
    const isLetGo = new Promise<void>((resolve) => (answerOne = resolve));
    teacher.faultFor = () => {
      const number = teacher.asked.length - before;
      if (number <= between) return undefined;
      return number === between + 1 ? faults.after(() => isLetGo) : faults.silent;
    };
    const point: AskingKill = { operation: 'put', key: '/single/', when: 'before', nth: between + 1 };
    const worker = begin(affordable, moment === 'recording' ? { point } : {});
    await until('calls under way', () => teacher.asked.length === before + between + parallel);
    if (moment === 'recording') answerOne();
    else worker.kill();
    expect(await worker.ended).toEqual({ isKilled: true });
  }

  /** The first reply comes when its client has given up and asked again. */
  function answerOneLate(): void {
    let late: { readonly key: string; readonly isAskedAgain: () => void } | undefined;
    teacher.faultFor = ({ key }) => {
      if (late?.key === key) late.isAskedAgain();
      if (late) return undefined;
      return faults.after(() => new Promise<void>((isAskedAgain) => (late = { key, isAskedAgain })));
    };
  }

  it('no recorded key is asked again, asks are keys and calls in flight at most, what may be paid twice is what it heard twice, and the bill keeps to the cap', async () => {
    const timesOfRecorded = new Map<string, number>();
    for (let number = 1; number <= kills; number += 1) {
      await killOne(number % 2 === 0 ? 'recording' : 'asking');
      for (const key of await recordedIn(place.url)) timesOfRecorded.set(key, teacher.timesAsked.get(key) ?? 0);
      expect(timesOfRecorded.size).toBe(number * between);
    }

    teacher.faultFor = () => undefined;
    expect(await begin(affordable).ended).toEqual({ isKilled: false, code: 'budget-exhausted' });
    // To the last call that it allows, and not one more.
    expect(teacher.asked).toHaveLength(affordable);
    for (const key of await recordedIn(place.url)) timesOfRecorded.set(key, teacher.timesAsked.get(key) ?? 0);
    expect(timesOfRecorded.size).toBe(kills * between + 2);

    answerOneLate();
    const { observations } = await begin(1000, { timeout: '4s' }).ended;
    const asks = teacher.asked.length;
    expect(teacher.timesAsked.size).toBe(keys);
    for (const [key, times] of timesOfRecorded) expect(teacher.timesAsked.get(key)).toBe(times);
    expect(asks).toBe(keys + kills * parallel + 1);
    expect(observations).toMatchObject({
      calls: {
        asked: asks,
        answered: keys,
        possiblyPaidTwice: { calls: asks - keys, atMostUsd: expect.closeTo((asks - keys) * callUsd, 9) as number },
      },
    });
  });
});

/**
 * Training killed at random and restored in new processes computes the very bits of an undisturbed run: after every event,
 * every byte of weights, moments, held gradients, random numbers and cursor.
 */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createRandom } from '../../engine/training/random.js';
import { nativePackageDirectory } from '../support/native-engine.js';
import { temporaryDirectory } from '../support/temporary.js';
import { train, type Killer, type TrainEnd } from '../support/train-process.js';
import { microBatches, type TrainLine, type TrainTask } from '../support/train-task.js';

const lastStep = 60;
const modes = [
  ['TensorFlow, graph, float32', { runner: 'tensorflow', xla: false, precision: 'float32' }],
  ['TensorFlow, XLA, float32', { runner: 'tensorflow', xla: true, precision: 'float32' }],
  ['TensorFlow, graph, bfloat16', { runner: 'tensorflow', xla: false, precision: 'bfloat16' }],
  ['wasm', { runner: 'wasm', xla: false, precision: 'float32' }],
] as const;

type EventLine = Extract<TrainLine, { readonly said: 'event' }>;
const eventsOf = ({ lines }: Pick<TrainEnd, 'lines'>): EventLine[] =>
  lines.flatMap((line) => (line.said === 'event' ? [line] : []));

/** The state that a child found. */
const restoredOf = ({ lines }: Pick<TrainEnd, 'lines'>) =>
  lines.flatMap((line) => (line.said === 'restored' ? [line] : []))[0];

const epochOf = ({ progress }: EventLine): number =>
  (progress as { readonly cursor: { readonly epoch: number } }).cursor.epoch; // a cursor of engine/data

let packageDirectory: string;
const cacheDirectory = temporaryDirectory();
beforeAll(async () => {
  packageDirectory = await nativePackageDirectory();
});

const taskOf = (mode: (typeof modes)[number][1], changes: Partial<TrainTask> = {}): TrainTask => ({
  ...mode,
  packageDirectory,
  cacheDirectory,
  threads: 2,
  stateFile: join(temporaryDirectory(), 'state.safetensors'),
  seed: 7,
  untilStep: lastStep,
  ...changes,
});

describe.each(modes)('training on %s', (name, mode) => {
  const random = createRandom(4, name);
  const undisturbed = new Map<number, EventLine>();

  beforeAll(async () => {
    for (const line of eventsOf(await train(taskOf(mode)))) undisturbed.set(line.event, line);
  });

  /** Every event that a disturbed run comes through is the one of the undisturbed run; how many there were. */
  const compare = (end: TrainEnd): number => {
    for (const line of eventsOf(end)) expect(line).toEqual(undisturbed.get(line.event));
    expect(restoredOf(end)?.differences ?? []).toEqual([]);
    return eventsOf(end).length;
  };

  /** Dies at a random moment, three steps or more after it was restored. */
  const killLater = (): Killer => {
    const least = 3 * microBatches + random.integer(5);
    const waitMs = random.integer(12);
    return async (_, lines) => {
      if (eventsOf({ lines }).length !== least) return false;
      await delay(waitMs);
      return true;
    };
  };
  const atEvent =
    (event: number): Killer =>
    (line) =>
      line.said === 'event' && line.event === event;

  /** The next event of which that holds, after three more steps. */
  const nextEvent = (after: number, holds: (line: EventLine, before: EventLine) => boolean): number => {
    const found = [...undisturbed.values()].find((line) => {
      const before = undisturbed.get(line.event - 1);
      return line.event >= after + 3 * microBatches && before !== undefined && holds(line, before);
    });
    if (found === undefined) throw new Error(`expected such an event after ${after}`);
    return found.event;
  };

  test('killed eight times, five of them at random, also between the micro-batches of a step and where an epoch turns, it has the same bits', async () => {
    const task = taskOf(mode);
    const killed: TrainEnd[] = [await train(task, killLater())];
    const last = () => killed.at(-1)?.event ?? 0;
    const withinStep = nextEvent(last(), ({ event }) => event % microBatches !== 0);
    killed.push(await train({ ...task, pauseAt: withinStep }, atEvent(withinStep)));
    killed.push(await train(task, killLater()));
    expect(restoredOf(killed[2]!)?.event).toBe(withinStep);
    const turn = nextEvent(last(), (line, before) => epochOf(line) > epochOf(before));
    killed.push(await train({ ...task, pauseAt: turn }, atEvent(turn)));
    killed.push(await train(task, ({ said }) => said === 'restored'));
    expect(restoredOf(killed[4]!)?.event).toBe(turn);
    for (let kill = 0; kill < 3; kill++) killed.push(await train(task, killLater()));
    for (const end of killed) compare(end);
    const whole = await train(task);
    expect(compare(whole)).toBeGreaterThan(3 * microBatches);
    expect(whole.event).toBe(lastStep * microBatches);
  });
});

test('what would make the bits differ is seen: another seed in the digests, another number of threads by name', async () => {
  const [, mode] = modes[0];
  const first = taskOf(mode, { untilStep: 2 });
  const other = taskOf(mode, { untilStep: 2, seed: 8 });
  const [one, two] = [eventsOf(await train(first)), eventsOf(await train(other))];
  expect(one.map(({ event }) => event)).toEqual(two.map(({ event }) => event));
  const weight = 'model.layers.0.mlp.up_proj.weight';
  expect(one.at(-1)?.digests[weight]).toBeDefined();
  expect(one.at(-1)?.digests[weight]).not.toBe(two.at(-1)?.digests[weight]);
  const restored = restoredOf(await train({ ...first, untilStep: 3, threads: 1 }));
  expect(restored).toMatchObject({ event: 3, differences: ['threads: 2 → 1'] });
});

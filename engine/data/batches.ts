/**
 * The stream of training steps: shuffled, packed into micro-batches of one shape, each step whole before its first micro-batch
 * is used, so that losses can be divided by the tokens of the step. The stream goes through the epochs without a break: a row may
 * hold samples of two. Every sample is given exactly once an epoch. Equal samples, settings and cursor give equal bytes, in
 * whatever process. Nothing is read ahead of the step that is asked for.
 */
import { setImmediate } from 'node:timers/promises';
import { NightstillError } from '../../config/errors.js';
import { invalidCursor, maximumWindow, readCursor, startCursor, type Cursor, type CursorOwner } from './cursor.js';
import { buildBatch, packRow, type Batch, type Window } from './packing.js';
import type { SampleSource } from './samples.js';
import { createShuffle } from './shuffle.js';

export interface StreamSettings {
  /** An integer of 0 … 2⁵³−1. */
  readonly seed: number;
  readonly epochs: number;
  /** Rows of a micro-batch. */
  readonly rows: number;
  /** Tokens of a row; no sample may be longer. */
  readonly columns: number;
  /** Micro-batches whose gradients are accumulated for one step of the optimizer. */
  readonly microBatches: number;
  /** Samples among which the next one of a row is chosen. Default: 64. 1 packs in the order of the shuffle. */
  readonly window?: number;
}

export interface TrainingStep {
  /** All of them, also those before `firstMicroBatch`; fewer than set only in the last step of the last epoch. */
  readonly microBatches: readonly Batch[];
  /** Index of the first micro-batch that is still to be done: not 0 only when the cursor stood within the step. */
  readonly firstMicroBatch: number;
  /** Tokens of the whole step without padding, and those that are learned: the divisor of its losses. */
  readonly tokens: number;
  readonly trainedTokens: number;
  /** Padding as a share of all positions of the step, 0 … 1. */
  readonly paddingShare: number;
  /** Where to go on when this many micro-batches of the step are done; all of them: with the next step. */
  readonly cursorAfter: (doneMicroBatches: number) => Cursor;
}

/**
 * The steps from the cursor on, to the end of the last epoch.
 * @param stored a cursor of this stream, as it was or read from JSON; from the beginning when absent.
 * @throws training-setting-invalid, cursor-invalid, and what reading samples throws
 */
export async function* trainingSteps(
  source: SampleSource,
  settings: StreamSettings,
  stored?: unknown,
): AsyncGenerator<TrainingStep, void, undefined> {
  const owner = confirm(source, settings);
  let cursor = stored === undefined ? startCursor(owner) : readCursor(stored, owner);
  for (;;) {
    const planned = planStep(source, settings.epochs, { ...cursor, shape: owner.shape });
    if (cursor.microBatch * settings.rows >= Math.max(1, planned.rows.length))
      throw invalidCursor(`a micro-batch of a step of ${planned.rows.length} rows`, `${cursor.microBatch}`);
    if (planned.rows.length === 0) return;
    yield await readStep(source, planned);
    cursor = planned.after;
  }
}

/** How many steps are planned before the event loop gets its turn. */
const plannedAtOnce = 1000;

/**
 * How many steps the stream has, but at most `limit`: from lengths alone, nothing is read.
 * @throws training-setting-invalid
 */
export async function countSteps(source: SampleSource, settings: StreamSettings, limit = Infinity): Promise<number> {
  const owner = confirm(source, settings);
  let cursor = startCursor(owner);
  for (let steps = 0; ; steps += 1) {
    if (steps >= limit) return steps;
    const { rows, after } = planStep(source, settings.epochs, { ...cursor, shape: owner.shape });
    if (rows.length === 0) return steps;
    cursor = after;
    if (steps % plannedAtOnce === 0) await setImmediate();
  }
}

const defaultWindow = 64;
const maximumEpochs = 2 ** 32;
/** More would be a mistake, and overflow what multiplies them. */
const maximumSide = 2 ** 24;

interface PlannedStep {
  readonly before: Cursor;
  readonly after: Cursor;
  /** Samples of each row of the step. */
  readonly rows: readonly (readonly number[])[];
}

function confirm(source: SampleSource, settings: StreamSettings): CursorOwner {
  const { seed, epochs, rows, columns, microBatches, window = defaultWindow } = settings;
  const limits = [
    ['seed', seed, 0, Number.MAX_SAFE_INTEGER],
    ['epochs', epochs, 1, maximumEpochs],
    ['rows', rows, 1, maximumSide],
    ['columns', columns, Math.max(2, source.longest), maximumSide],
    ['microBatches', microBatches, 1, maximumSide],
    ['window', window, 1, maximumWindow],
  ] as const;
  for (const [name, value, least, most] of limits)
    if (!Number.isSafeInteger(value) || value < least || value > most)
      throw new NightstillError('training-setting-invalid', `${name}: expected ${least} to ${most}, found ${value}`);
  return { data: source.digest, samples: source.samples, seed, shape: { rows, columns, microBatches, window } };
}

/** Which samples each row of the next step holds, from lengths alone. */
function planStep(source: SampleSource, epochs: number, before: Cursor): PlannedStep {
  const { rows, columns, microBatches } = before.shape;
  const window = new LookAhead(source, epochs, before);
  const planned: (readonly number[])[] = [];
  while (planned.length < rows * microBatches) {
    const row = packRow(window, columns);
    if (row.length === 0) break;
    planned.push(row.map(({ sample }) => sample));
  }
  return { before, after: { ...before, ...window.state(), microBatch: 0 }, rows: planned };
}

async function readStep(source: SampleSource, { before, after, rows }: PlannedStep): Promise<TrainingStep> {
  const { shape, microBatch: firstMicroBatch } = before;
  const microBatches: Batch[] = [];
  for (let start = 0; start < rows.length; start += shape.rows) {
    const packed = rows.slice(start, start + shape.rows);
    const samples = packed.map((row) => Promise.all(row.map((sample) => source.read(sample))));
    microBatches.push(buildBatch(await Promise.all(samples), shape.rows, shape.columns));
  }
  const tokens = microBatches.reduce((sum, batch) => sum + batch.tokens, 0);
  return {
    microBatches,
    firstMicroBatch,
    tokens,
    trainedTokens: microBatches.reduce((sum, batch) => sum + batch.trainedTokens, 0),
    paddingShare: 1 - tokens / (microBatches.length * shape.rows * shape.columns),
    cursorAfter: (done) => (done >= microBatches.length ? after : { ...before, microBatch: done }),
  };
}

interface Waiting {
  /** epoch × samples + position. */
  readonly place: number;
  readonly sample: number;
}

/** The samples that come next in the stream; its state is that of a cursor. */
class LookAhead implements Window<Waiting> {
  readonly #waiting: Waiting[];
  readonly #shuffles = new Map<number, (position: number) => number>();
  #next: number;

  constructor(
    private readonly source: SampleSource,
    private readonly epochs: number,
    private readonly cursor: Cursor,
  ) {
    this.#next = cursor.epoch * source.samples + cursor.position;
    this.#waiting = cursor.window.map((place) => this.#at(place));
  }

  filled(): readonly Waiting[] {
    const end = this.epochs * this.source.samples;
    while (this.#waiting.length < this.cursor.shape.window && this.#next < end)
      this.#waiting.push(this.#at(this.#next++));
    return this.#waiting;
  }

  take(index: number): Waiting {
    const [taken] = this.#waiting.splice(index, 1);
    if (taken === undefined) throw new RangeError(`nothing waits at ${index}`);
    return taken;
  }

  lengthOf({ sample }: Waiting): number {
    return this.source.lengthOf(sample);
  }

  state(): Pick<Cursor, 'epoch' | 'position' | 'window'> {
    const { samples } = this.source;
    return {
      epoch: Math.floor(this.#next / samples),
      position: this.#next % samples,
      window: this.#waiting.map(({ place }) => place),
    };
  }

  #at(place: number): Waiting {
    const { samples } = this.source;
    const epoch = Math.floor(place / samples);
    let shuffle = this.#shuffles.get(epoch);
    if (shuffle === undefined) {
      shuffle = createShuffle(samples, this.cursor.seed, epoch);
      this.#shuffles.set(epoch, shuffle);
    }
    return { place, sample: shuffle(place % samples) };
  }
}

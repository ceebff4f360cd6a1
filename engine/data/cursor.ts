/**
 * Where a stream of batches stands, as JSON: all that a new process needs to go on with the very next micro-batch. Sample numbers
 * of the look-ahead window are kept as places in the stream, epoch × samples + position, so that they follow from the seed.
 */
import { z } from 'zod';
import { NightstillError } from '../../config/errors.js';

const cursorVersion = 1;
export const maximumWindow = 4096;
const count = z.int().nonnegative();

/** What decides, beside the data, which samples share a micro-batch. */
const streamShapeSchema = z.object({
  rows: count.min(1),
  columns: count.min(2),
  microBatches: count.min(1),
  window: count.min(1).max(maximumWindow),
});
export type StreamShape = Readonly<z.output<typeof streamShapeSchema>>;

const cursorSchema = z.object({
  version: z.literal(cursorVersion),
  /** Digest of the samples. */
  data: z.string(),
  seed: count,
  /** The next sample that enters the window. */
  epoch: count,
  position: count,
  /** Places in the stream of the samples that were passed over and wait, oldest first. */
  window: z.array(count).max(maximumWindow),
  /** Micro-batches of the next step that are done already. */
  microBatch: count,
  shape: streamShapeSchema,
});
export type Cursor = Readonly<Omit<z.output<typeof cursorSchema>, 'window'>> & { readonly window: readonly number[] };

/** What a cursor must belong to. */
export interface CursorOwner {
  readonly data: string;
  readonly samples: number;
  readonly seed: number;
  readonly shape: StreamShape;
}

export const startCursor = ({ data, seed, shape }: CursorOwner): Cursor => ({
  version: cursorVersion,
  data,
  seed,
  epoch: 0,
  position: 0,
  window: [],
  microBatch: 0,
  shape,
});

/**
 * A cursor from whatever was stored. The shape of batches may change between steps, not within one.
 * @throws cursor-invalid
 */
export function readCursor(stored: unknown, owner: CursorOwner): Cursor {
  const parsed = cursorSchema.safeParse(stored);
  if (!parsed.success) throw invalidCursor('a cursor', z.prettifyError(parsed.error));
  const cursor = parsed.data;
  if (cursor.data !== owner.data) throw invalidCursor(`data ${owner.data}`, cursor.data);
  if (cursor.seed !== owner.seed) throw invalidCursor(`seed ${owner.seed}`, `${cursor.seed}`);
  const next = cursor.epoch * owner.samples + cursor.position;
  if (cursor.position >= owner.samples || !Number.isSafeInteger(next))
    throw invalidCursor(`a position below ${owner.samples}`, `${cursor.position}`);
  const ordered = cursor.window.every((place, index) => place < next && place > (cursor.window[index - 1] ?? -1));
  if (!ordered) throw invalidCursor('a window of ascending places that are behind the position', 'another');
  if (cursor.microBatch > 0) confirmShape(cursor, owner.shape);
  return cursor;
}

function confirmShape({ shape, microBatch }: Cursor, expected: StreamShape): void {
  for (const name of ['rows', 'columns', 'microBatches', 'window'] as const)
    if (shape[name] !== expected[name])
      throw invalidCursor(`${name} ${shape[name]} until the step is done`, `${expected[name]}`);
  if (microBatch >= shape.microBatches)
    throw invalidCursor(`a micro-batch below ${shape.microBatches}`, `${microBatch}`);
}

export const invalidCursor = (expected: string, found: string): NightstillError =>
  new NightstillError('cursor-invalid', `cursor: expected ${expected}, found ${found}`);

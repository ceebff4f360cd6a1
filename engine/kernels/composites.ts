/** All composite kernels: a backend that replays programs must know each. */
import { adamwKernel } from './adamw.js';
import { barrierKernel } from './barrier.js';
import type { Composite } from './composite.js';
import { afterKernel } from './order.js';
import { replaceRowsKernel } from './replace-rows.js';
import { broadcastingSelectKernel } from './select.js';
import { sparseCrossEntropyKernel } from './sparse-cross-entropy.js';
import { sumOfSquaresKernel } from './sum-of-squares.js';

export const composites: readonly Composite[] = [
  adamwKernel,
  afterKernel,
  barrierKernel,
  replaceRowsKernel,
  broadcastingSelectKernel,
  sparseCrossEntropyKernel,
  sumOfSquaresKernel,
];

/** All composite kernels: a backend that replays programs must know each. */
import type { Composite } from './composite.js';
import { afterKernel } from './order.js';
import { sparseCrossEntropyKernel } from './sparse-cross-entropy.js';

export const composites: readonly Composite[] = [afterKernel, sparseCrossEntropyKernel];

/** All cases: what the kernels do, kind by kind as the engine groups them. */
import { binaryCases } from './binary-cases.js';
import type { KernelCase } from './cases.js';
import { compositeCases } from './composite-cases.js';
import { elementwiseCases } from './elementwise-cases.js';
import { indexingCases } from './indexing-cases.js';
import { layoutCases } from './layout-cases.js';
import { reductionCases } from './reduction-cases.js';

export const everyCase: readonly KernelCase[] = [
  ...elementwiseCases,
  ...binaryCases,
  ...reductionCases,
  ...layoutCases,
  ...indexingCases,
  ...compositeCases,
];

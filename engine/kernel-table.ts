/**
 * The kernels that programs can hold, one entry each: the shapes of its results, and how TensorFlow says it. Everything else
 * follows: what is in the table can be traced, replayed on wasm and cpu, and emitted into a graph. To support another tfjs
 * kernel, add its entry here; `test/parity/engine/kernels.test.ts` then wants a case for it.
 */
import { barrierKernel } from './kernels/barrier.js';
import { adamwKernel } from './kernels/adamw.js';
import type { KernelDefinition } from './kernels/definition.js';
import { binary, cast, clip, floorDivide, select, step, unary } from './kernels/elementwise.js';
import { gather, gatherNd, range, scatterNd, segmentSum, topK } from './kernels/indexing.js';
import {
  concat,
  constant,
  expandDims,
  fill,
  pack,
  pad,
  reshape,
  slice,
  split,
  tile,
  transpose,
  unpack,
} from './kernels/layout.js';
import { afterKernel } from './kernels/order.js';
import { product } from './kernels/products.js';
import { argument, cumulative, mean, reduction, sumOfMany } from './kernels/reductions.js';
import { replaceRowsKernel } from './kernels/replace-rows.js';
import { broadcastingSelectKernel } from './kernels/select.js';
import { sparseCrossEntropyKernel } from './kernels/sparse-cross-entropy.js';
import { sumOfSquaresKernel } from './kernels/sum-of-squares.js';

const truth = { result: 'bool' } as const;
const logic = { takes: ['bool'], result: 'bool', untyped: true } as const;
const float = { takes: ['float32'] } as const;
const number = { takes: ['float32', 'int32'] } as const;
const any = { takes: ['float32', 'int32', 'bool'] } as const;

export const kernelTable: Readonly<Record<string, KernelDefinition | undefined>> = {
  Abs: unary('Abs', number),
  Add: binary('AddV2'),
  AdamW: adamwKernel,
  AddN: sumOfMany,
  After: afterKernel,
  All: reduction('All', true),
  Any: reduction('Any', true),
  ArgMax: argument('ArgMax'),
  ArgMin: argument('ArgMin'),
  Barrier: barrierKernel,
  BatchMatMul: product,
  BroadcastingSelect: broadcastingSelectKernel,
  Cast: cast,
  Ceil: unary('Ceil'),
  ClipByValue: clip,
  Concat: concat,
  Constant: constant,
  Cos: unary('Cos'),
  Cumprod: cumulative('Cumprod'),
  Cumsum: cumulative('Cumsum'),
  Equal: binary('Equal', { ...any, ...truth }),
  Erf: unary('Erf'),
  Exp: unary('Exp'),
  ExpandDims: expandDims,
  Expm1: unary('Expm1'),
  Fill: fill,
  Floor: unary('Floor'),
  FloorDiv: floorDivide,
  GatherNd: gatherNd,
  GatherV2: gather,
  Greater: binary('Greater', truth),
  GreaterEqual: binary('GreaterEqual', truth),
  IsFinite: unary('IsFinite', truth),
  IsNan: unary('IsNan', truth),
  Less: binary('Less', truth),
  LessEqual: binary('LessEqual', truth),
  Log: unary('Log'),
  Log1p: unary('Log1p'),
  LogicalAnd: binary('LogicalAnd', logic),
  LogicalNot: unary('LogicalNot', logic),
  LogicalOr: binary('LogicalOr', logic),
  Max: reduction('Max'),
  Maximum: binary('Maximum'),
  Mean: mean,
  Min: reduction('Min'),
  Minimum: binary('Minimum'),
  Mod: binary('FloorMod'),
  Multiply: binary('Mul'),
  Neg: unary('Neg', number),
  NotEqual: binary('NotEqual', { ...any, ...truth }),
  OnesLike: unary('OnesLike', any),
  Pack: pack,
  PadV2: pad,
  Pow: binary('Pow'),
  Prod: reduction('Prod'),
  Range: range,
  RealDiv: binary('RealDiv', float),
  Reciprocal: unary('Reciprocal'),
  Relu: unary('Relu', number),
  ReplaceRows: replaceRowsKernel,
  Reshape: reshape,
  Round: unary('Round'),
  Rsqrt: unary('Rsqrt'),
  ScatterNd: scatterNd,
  Select: select,
  Sigmoid: unary('Sigmoid'),
  Sign: unary('Sign', number),
  Sin: unary('Sin'),
  Slice: slice,
  Softmax: unary('Softmax'),
  Softplus: unary('Softplus'),
  SparseCrossEntropy: sparseCrossEntropyKernel,
  SplitV: split,
  Sqrt: unary('Sqrt'),
  Square: unary('Square', number),
  SquaredDifference: binary('SquaredDifference'),
  Step: step,
  Sub: binary('Sub'),
  Sum: reduction('Sum'),
  SumOfSquares: sumOfSquaresKernel,
  Tanh: unary('Tanh'),
  Tile: tile,
  TopK: topK,
  Transpose: transpose,
  Unpack: unpack,
  UnsortedSegmentSum: segmentSum,
  ZerosLike: unary('ZerosLike', any),
};

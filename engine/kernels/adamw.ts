/**
 * AdamW of one weight as one recorded operation. TensorFlow updates weight and moments in place; where an update is skipped it
 * gets factors that change nothing (a rate of 0, decay rates of 1, a gradient of 0), so that no branch and no copy is needed.
 */
import { tf } from '../tf.js';
import { typed, type GraphNode, type GraphOutput } from '../runners/graph.js';
import { checkTypes, input, numberOf } from '../tracing/shapes.js';
import { namedTensor } from '../tracing/tensors.js';
import { adamwStep, type AdamWStep } from '../training/adamw.js';
import { runComposite, type Composite } from './composite.js';
import type { Emission, KernelDefinition } from './definition.js';

const names = ['weight', 'm', 'v'] as const;

export const adamwKernel: Composite & KernelDefinition = {
  list: true,
  name: 'AdamW',
  eager: (inputs, attributes) => {
    const tensor = (name: string): tf.Tensor => namedTensor(inputs, name);
    return adamwStep(tensor('weight'), tensor('m'), tensor('v'), tensor('gradient'), {
      learningRate: tensor('learningRate').asScalar(),
      biasCorrection1: tensor('biasCorrection1').asScalar(),
      biasCorrection2: tensor('biasCorrection2').asScalar(),
      gradientScale: tensor('gradientScale').asScalar(),
      apply: tensor('apply').asScalar(),
      beta1: numberOf(attributes, 'beta1'),
      beta2: numberOf(attributes, 'beta2'),
      epsilon: numberOf(attributes, 'epsilon'),
      decay: numberOf(attributes, 'decay'),
    });
  },
  infer: (inputs, _, kernel) => {
    const results = names.map((name) => input(inputs, name));
    checkTypes(kernel, [...results, input(inputs, 'gradient')], ['float32']);
    return results;
  },
  emit: (emission) => {
    const { graph, of } = emission;
    const { rate, beta1, beta2, epsilon, gradient, keep } = factorsOf(emission);
    const value = (operation: string, ...inputs: GraphOutput[]) =>
      graph.output(operation, inputs, { T: typed('float32') });
    const toward = (old: GraphOutput, target: GraphOutput, beta: GraphOutput) =>
      value('AddV2', old, value('Mul', value('Sub', target, old), value('Sub', graph.scalar(1), beta)));
    const m = toward(of('m'), gradient, beta1);
    const v = toward(of('v'), value('Square', gradient), beta2);
    const change = value('RealDiv', value('Mul', m, rate), value('AddV2', value('Sqrt', v), epsilon));
    return [value('Sub', value('Mul', of('weight'), keep), change), m, v];
  },
};

/** The handles of the variables that hold weight and moments. */
export interface AdamWVariables {
  readonly weight: GraphOutput;
  readonly m: GraphOutput;
  readonly v: GraphOutput;
}

/**
 * The update where weight and moments are variables that it replaces; returns the nodes that change them.
 * @param reads the nodes that read these variables. They must run before the change, and the gradient need not depend on them
 */
export function emitInPlace(
  emission: Emission,
  { weight, m, v }: AdamWVariables,
  reads: readonly GraphNode[],
): GraphNode[] {
  const { graph, of, operation } = emission;
  const { rate, beta1, beta2, epsilon, gradient, keep } = factorsOf(emission);
  const T = typed('float32');
  const decays = numberOf(operation.attributes, 'decay') !== 0;
  // Assigned, not multiplied in place: the forward pass may still read the old buffer.
  const decayed = decays
    ? [graph.node('AssignVariableOp', [weight, graph.output('Mul', [of('weight'), keep], { T })], { dtype: T })]
    : [];
  const zero = graph.scalar(0);
  const inputs = [weight, m, v, zero, zero, rate, beta1, beta2, epsilon, gradient];
  return [...decayed, graph.node('ResourceApplyAdam', inputs, { T }, { control: [...reads, ...decayed] })];
}

interface Factors {
  /** Learning rate with both bias corrections in it. */
  readonly rate: GraphOutput;
  readonly beta1: GraphOutput;
  readonly beta2: GraphOutput;
  readonly epsilon: GraphOutput;
  /** Scaled; zeros where nothing is to be applied, whatever it was. */
  readonly gradient: GraphOutput;
  /** What the weight is multiplied by first. */
  readonly keep: GraphOutput;
}

/**
 * TensorFlow's kernel has no bias correction of its own when the powers it is given are 0. PyTorch's
 * rate/bc1 · m / (√v/√bc2 + ε) is rate·√bc2/bc1 · m / (√v + ε·√bc2).
 */
function factorsOf({ graph, operation: { attributes }, of }: Emission): Factors {
  const T = typed('float32');
  const number = (name: string) => graph.scalar(numberOf(attributes, name));
  // Made once for all weights that share settings and scalars.
  const scalars = ['learningRate', 'biasCorrection1', 'biasCorrection2', 'gradientScale', 'apply'];
  const shared = `adamw ${JSON.stringify(attributes)} ${scalars.map((name) => keyOf(of(name))).join(' ')}`;
  const once = (name: string, make: () => GraphOutput) => graph.once(`${shared} ${name}`, make);
  const applied = (name: string, value: () => GraphOutput, otherwise: number) =>
    once(name, () => graph.output('SelectV2', [of('apply'), value(), graph.scalar(otherwise)], { T }));
  const multiply = (one: GraphOutput, other: GraphOutput) => graph.output('Mul', [one, other], { T });
  const root = once('root', () => graph.output('Sqrt', [of('biasCorrection2')], { T }));
  const rate = applied(
    'rate',
    () => graph.output('RealDiv', [multiply(of('learningRate'), root), of('biasCorrection1')], { T }),
    0,
  );
  const plainRate = applied('plain rate', () => of('learningRate'), 0);
  const decay = numberOf(attributes, 'decay');
  const scale = applied('scale', () => of('gradientScale'), 0);
  return {
    rate,
    beta1: applied('beta1', () => number('beta1'), 1),
    beta2: applied('beta2', () => number('beta2'), 1),
    epsilon: once('epsilon', () => multiply(number('epsilon'), root)),
    // x · 0 is 0 here even where x is not finite.
    gradient: graph.output('MulNoNan', [of('gradient'), scale], { T }),
    keep: once('keep', () => graph.output('Sub', [graph.scalar(1), multiply(plainRate, graph.scalar(decay))], { T })),
  };
}

const keyOf = ({ node, index }: GraphOutput): string => `${node.name}:${index}`;

/** `adamwStep` as one operation of a program. */
export const adamwUpdate: AdamWStep = (weight, m, v, gradient, options) => {
  const { beta1, beta2, epsilon, decay, apply } = options;
  const scalar = (value: tf.Scalar | number): tf.Scalar => (typeof value === 'number' ? tf.scalar(value) : value);
  const inputs = {
    weight,
    m,
    v,
    gradient,
    apply,
    learningRate: scalar(options.learningRate),
    biasCorrection1: scalar(options.biasCorrection1),
    biasCorrection2: scalar(options.biasCorrection2),
    gradientScale: scalar(options.gradientScale),
  };
  const [newWeight, newM, newV] = runComposite(adamwKernel, inputs, { beta1, beta2, epsilon, decay });
  if (newWeight === undefined || newM === undefined || newV === undefined)
    throw new TypeError('expected three tensors');
  return [newWeight, newM, newV];
};

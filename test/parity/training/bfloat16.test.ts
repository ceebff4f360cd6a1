/**
 * bfloat16 is a rewrite at emission: products alone are rounded. Held by numbers (steps of the same training in both precisions) and
 * by the graph, node by node.
 */
import { emitProgram } from '../../../engine/runners/emit.js';
import { Graph, tensorflowType, typed, type GraphNode, type GraphOutput } from '../../../engine/runners/graph.js';
import type { RunnableProgram, Runner } from '../../../engine/runners/runner.js';
import { eventsOf, tinyConfig, tinySamples, tinyStream, tinyTrainer } from '../../support/tiny-run.js';
import { expectedTensors } from '../../../engine/files/model-tensors.js';
import { firstMomentName, secondMomentName } from '../../../engine/training/adamw.js';
import { sampleSteps } from '../../../engine/training/step-source.js';
import { nativeRunner } from '../engine/runners-under-test.js';

type Precision = RunnableProgram['precision'];

/** Three updates; what the runner was handed, and what training left. */
async function trained(precision: Precision, { xla, layers }: { readonly xla: boolean; readonly layers: 1 | 2 }) {
  const native = await nativeRunner();
  let programs: readonly RunnableProgram[] = [];
  const runner: Runner = {
    ...native,
    load: (state, given) => {
      programs = given;
      return native.load(state, given);
    },
  };
  // XLA compiles for as long as there are layers and programs: one of each.
  const single = {
    config: { ...tinyConfig, layers: 1 },
    shape: { rows: 2, tokens: 16, microBatches: 1 },
    source: sampleSteps(tinySamples(), { ...tinyStream, microBatches: 1 }),
  };
  const trainer = await tinyTrainer({ runner, precision, xla, ...(layers === 1 && single) });
  const steps = (await eventsOf(trainer, 3)).flatMap((event) => (event.kind === 'step' ? [event] : []));
  const { specs } = trainer.capture();
  const state = Object.keys(specs).map((name) => [name, trainer.read(name)] as const);
  trainer.dispose();
  return { programs, steps, specs, state: new Map(state) };
}

/** Of the numbers that are not zero, how many have more digits than bfloat16 has? */
function shareOfFinerThanBfloat16(values: Float32Array): number {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length).filter((one) => one << 1 !== 0);
  return bits.filter((one) => (one & 0xffff) !== 0).length / bits.length;
}

test.each([
  ['a graph', false, 2],
  ['XLA', true, 1],
] as const)(
  'steps in bfloat16 follow those in float32, and everything that is kept is float32: %s',
  async (_name, xla, layers) => {
    const wide = await trained('float32', { xla: false, layers });
    const narrow = await trained('bfloat16', { xla, layers });
    expect(narrow.steps).toHaveLength(3);
    narrow.steps.forEach(({ loss, gradientNorm }, index) => {
      const reference = wide.steps[index]!;
      expect(loss).not.toBe(reference.loss);
      expect(Math.abs(loss - reference.loss)).toBeLessThan(1e-2);
      expect(Math.abs(gradientNorm / reference.gradientNorm - 1)).toBeLessThan(3e-2);
    });
    expect(Object.values(narrow.specs).every(({ dtype }) => dtype === 'float32')).toBe(true);
    for (const weight of expectedTensors({ ...tinyConfig, layers }).keys())
      for (const name of [weight, firstMomentName(weight), secondMomentName(weight)]) {
        const values = narrow.state.get(name)!;
        expect([name, shareOfFinerThanBfloat16(values) > 0.9]).toEqual([name, true]);
        expect([name, values.some((value, index) => value !== wide.state.get(name)![index])]).toEqual([name, true]);
      }
  },
);

/** The nodes of one program, as the runner writes them. */
function nodesOf({ program, precision }: RunnableProgram): readonly GraphNode[] {
  const graph = new Graph(precision);
  const placeholders = (names: Iterable<string>, type: (name: string) => GraphNode['attributes']) =>
    new Map([...names].map((name): [string, GraphOutput] => [name, graph.output('Placeholder', [], type(name))]));
  emitProgram(graph, program, {
    inputs: placeholders(program.inputs.keys(), (name) => ({ dtype: typed(program.inputs.get(name)!.dtype) })),
    handles: placeholders(program.state.keys(), () => ({ dtype: { type: tensorflowType.resource } })),
  });
  return graph.nodes;
}

const isProduct = ({ operation }: GraphNode): boolean => operation === 'MatMul' || operation === 'BatchMatMulV2';
const isBfloat16 = (attribute: GraphNode['attributes'][string] | undefined): boolean =>
  attribute !== undefined && 'type' in attribute && attribute.type === tensorflowType.bfloat16;

test('in the graph every node of bfloat16 is a product or a cast of its operands or its result, and every product is one', async () => {
  const { programs } = await trained('bfloat16', { xla: false, layers: 2 });
  expect(programs.map(({ program }) => program.name)).toEqual(['update', 'accumulate']);
  for (const runnable of programs) {
    const nodes = nodesOf(runnable);
    const narrow = nodes.filter(({ attributes }) => Object.values(attributes).some(isBfloat16));
    const products = nodes.filter(isProduct);
    const casts = narrow.filter(({ operation }) => operation === 'Cast');
    expect(products.length).toBeGreaterThan(40);
    expect(narrow.filter((node) => !isProduct(node) && node.operation !== 'Cast')).toEqual([]);
    expect(products.filter(({ attributes }) => !isBfloat16(attributes['T']))).toEqual([]);
    for (const cast of casts) {
      const users = nodes.filter(({ inputs }) => inputs.some(({ node }) => node === cast));
      if (isBfloat16(cast.attributes['DstT'])) expect(users.every(isProduct)).toBe(true);
      else expect(cast.inputs.every(({ node }) => isProduct(node))).toBe(true);
    }
    const wide = nodesOf({ ...runnable, precision: 'float32' });
    expect(wide.filter(({ attributes }) => Object.values(attributes).some(isBfloat16))).toEqual([]);
    expect(wide.filter(isProduct)).toHaveLength(products.length);
  }
});

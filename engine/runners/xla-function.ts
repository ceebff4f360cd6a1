/**
 * A program as a function that XLA compiles whole, and the node that calls it. The function takes the program's inputs and
 * the handles of the variables that it touches: XLA holds those for the whole call.
 */
import { touchedState, type Program } from '../tracing/program.js';
import { emitProgram, type Emitted, type Surroundings } from './emit.js';
import { Graph, tensorflowType, type GraphNode, type GraphOutput, type GraphType } from './graph.js';
import type { RunnableProgram } from './runner.js';
import { argumentNode, type GraphFunction } from './saved-model.js';

interface Argument {
  readonly type: GraphType;
  /** Its stand-in within the function. */
  readonly node: GraphNode;
  /** What the call passes. */
  readonly passed: GraphOutput;
}

/** Adds the function to `functions` and its call to the graph. */
export function callCompiled(
  graph: Graph,
  functions: GraphFunction[],
  { program, precision }: RunnableProgram,
  outer: Surroundings,
  prefix: string,
): Emitted {
  const name = `${prefix}_function`;
  const { inputs, handles } = argumentsOf(program, outer);
  const all = [...inputs.values(), ...handles.values()];
  const body = new Graph(precision);
  const within = (passed: ReadonlyMap<string, Argument>): ReadonlyMap<string, GraphOutput> =>
    new Map([...passed].map(([key, { node }]) => [key, { node, index: 0 }]));
  const { outputs, effects } = emitProgram(body, program, {
    inputs: within(inputs),
    handles: within(handles),
    xla: true,
  });
  const results = [...outputs].map(([output, value], index) => ({
    name: `output${index}`,
    type: tensorflowType[program.outputs.get(output)?.dtype ?? 'float32'],
    value,
  }));
  const signature = all.map(({ node, type }) => ({ name: node.name, type }));
  functions.push({ name, arguments: signature, results, nodes: body.nodes, effects });
  const call = graph.node(
    'StatefulPartitionedCall',
    all.map(({ passed }) => passed),
    {
      Tin: { list: { type: all.map(({ type }) => type) } },
      Tout: { list: { type: results.map(({ type }) => type) } },
      f: { func: { name } },
      _XlaMustCompile: { b: true },
    },
    { name: `${prefix}/call` },
  );
  return { outputs: new Map([...outputs.keys()].map((key, index) => [key, { node: call, index }])), effects: [call] };
}

function argumentsOf(
  program: Program,
  outer: Surroundings,
): { readonly inputs: ReadonlyMap<string, Argument>; readonly handles: ReadonlyMap<string, Argument> } {
  const touched = touchedState(program);
  const argument = (prefix: string, type: GraphType, index: number, passed: GraphOutput): Argument => ({
    type,
    node: argumentNode(`${prefix}${index}`, type),
    passed,
  });
  const inputs = [...outer.inputs].map(([name, passed], index): [string, Argument] => [
    name,
    argument('input', tensorflowType[program.inputs.get(name)?.dtype ?? 'float32'], index, passed),
  ]);
  const handles = [...outer.handles]
    .filter(([name]) => touched.has(name))
    .map(([name, passed], index): [string, Argument] => [
      name,
      argument('state', tensorflowType.resource, index, passed),
    ]);
  return { inputs: new Map(inputs), handles: new Map(handles) };
}

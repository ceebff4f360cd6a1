/**
 * A TensorFlow graph under construction: nodes with named operations, data inputs, control inputs and attributes. The same
 * nodes are written as the main graph or as the body of a function; only the spelling of references differs
 * (`saved-model.ts`).
 */
import type { Numbers } from '../tracing/program.js';
import type { DataType, TensorSpec } from '../tracing/tensor-spec.js';

/** Element types of TensorFlow by their number in `DataType` of types.proto. */
export const tensorflowType = { float32: 1, int32: 3, string: 7, bool: 10, bfloat16: 14, resource: 20 } as const;

export type GraphType = (typeof tensorflowType)[keyof typeof tensorflowType];

/** An attribute as `AttrValue` of attr_value.proto holds it. */
export type GraphAttribute =
  | { readonly type: GraphType }
  | { readonly b: boolean }
  | { readonly i: number }
  | { readonly f: number }
  | { readonly s: Uint8Array }
  | { readonly shape: GraphShape }
  | { readonly tensor: GraphTensor }
  | { readonly func: { readonly name: string } }
  | {
      readonly list: {
        readonly type?: readonly GraphType[];
        readonly i?: readonly number[];
        readonly shape?: readonly GraphShape[];
      };
    };

interface GraphShape {
  readonly dim: readonly { readonly size: number }[];
}

interface GraphTensor {
  readonly dtype: GraphType;
  readonly tensorShape: GraphShape;
  readonly tensorContent: Uint8Array;
}

export interface GraphNode {
  readonly name: string;
  readonly operation: string;
  readonly inputs: readonly GraphOutput[];
  readonly control: readonly GraphNode[];
  readonly attributes: Readonly<Record<string, GraphAttribute>>;
}

/** One result of a node. */
export interface GraphOutput {
  readonly node: GraphNode;
  readonly index: number;
}

export const graphShape = (shape: readonly number[]): GraphShape => ({ dim: shape.map((size) => ({ size })) });

export const typed = (dtype: DataType): GraphAttribute => ({ type: tensorflowType[dtype] });

export type Precision = 'float32' | 'bfloat16';

export class Graph {
  readonly #names = new Set<string>();
  readonly #constants = new Map<string, GraphOutput>();
  readonly #made = new Map<string, GraphOutput>();

  /** @param precision in which the products of this graph are computed */
  constructor(
    readonly precision: Precision = 'float32',
    readonly nodes: GraphNode[] = [],
    readonly prefix = '',
  ) {}

  /** A view that adds nodes to this graph under a prefix of their own, in a precision of their own. */
  part(prefix: string, precision: Precision): Graph {
    return new Graph(precision, this.nodes, `${this.prefix}${prefix}/`);
  }

  node(
    operation: string,
    inputs: readonly GraphOutput[],
    attributes: GraphNode['attributes'] = {},
    options: { readonly control?: readonly GraphNode[]; readonly name?: string } = {},
  ): GraphNode {
    const name = `${this.prefix}${options.name ?? `${operation}_${this.nodes.length}`}`;
    if (this.#names.has(name)) throw new Error(`a graph has one node named ${name}`);
    this.#names.add(name);
    const node = { name, operation, inputs, control: options.control ?? [], attributes };
    this.nodes.push(node);
    return node;
  }

  /** The first result of a new node. */
  output(operation: string, inputs: readonly GraphOutput[], attributes: GraphNode['attributes'] = {}): GraphOutput {
    return { node: this.node(operation, inputs, attributes), index: 0 };
  }

  /** Small constants of equal content are one node. */
  constant(numbers: Numbers, { shape, dtype }: TensorSpec): GraphOutput {
    const key = numbers.length <= 64 ? `${dtype} ${shape.join(',')} ${bitsOf(numbers)}` : undefined;
    const known = key === undefined ? undefined : this.#constants.get(key);
    if (known !== undefined) return known;
    const made = this.output('Const', [], {
      dtype: typed(dtype),
      value: { tensor: tensorOf(numbers, { shape, dtype }) },
    });
    if (key !== undefined) this.#constants.set(key, made);
    return made;
  }

  /** The value in another float type; converted once however often it is asked for. */
  converted(value: GraphOutput, from: Precision, to: Precision): GraphOutput {
    const types = { SrcT: { type: tensorflowType[from] }, DstT: { type: tensorflowType[to] } };
    return this.once(`${value.node.name}:${value.index} as ${to}`, () => this.output('Cast', [value], types));
  }

  /** What was made under that key before, else what `make` makes. */
  once(key: string, make: () => GraphOutput): GraphOutput {
    const known = this.#made.get(key);
    if (known !== undefined) return known;
    const made = make();
    this.#made.set(key, made);
    return made;
  }

  integers(...values: readonly number[]): GraphOutput {
    return this.constant(Int32Array.from(values), { shape: [values.length], dtype: 'int32' });
  }

  integer(value: number): GraphOutput {
    return this.constant(Int32Array.of(value), { shape: [], dtype: 'int32' });
  }

  scalar(value: number, dtype: DataType = 'float32'): GraphOutput {
    const numbers =
      dtype === 'float32' ? Float32Array.of(value) : dtype === 'int32' ? Int32Array.of(value) : Uint8Array.of(value);
    return this.constant(numbers, { shape: [], dtype });
  }
}

const bytesOf = (numbers: Numbers): Uint8Array =>
  new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);

/** Distinguishes -0 from 0 and one NaN from another. */
const bitsOf = (numbers: Numbers): string => Buffer.from(bytesOf(numbers)).toString('base64');

const tensorOf = (numbers: Numbers, { shape, dtype }: TensorSpec): GraphTensor => ({
  dtype: tensorflowType[dtype],
  tensorShape: graphShape(shape),
  tensorContent: bytesOf(numbers),
});

/**
 * Weights as a step of few tokens wants them: every matrix turned over, [in, out], since a product with few rows is then up to
 * twice as fast, and the projections of queries, keys and values as one matrix. Programs see them under the names and layouts
 * of Hugging Face files, cut and turned back: passes cancel that against the joining and turning, and only the products are left.
 */
import type { ModelConfig } from '../files/model-config.js';
import { expectedTensors } from '../files/model-tensors.js';
import { headName } from '../models/decoder.js';
import type { NumbersSource } from '../runners/runner.js';
import { tf } from '../tf.js';
import type { Numbers } from '../tracing/program.js';
import { sizeOf, type TensorSpec } from '../tracing/tensor-spec.js';
import { namedTensor, type Tensors } from '../tracing/tensors.js';

/** One variable of the state: some tensors of the file joined along their first axis, then turned over. */
interface Packed {
  readonly name: string;
  readonly parts: readonly { readonly name: string; readonly shape: readonly number[] }[];
  readonly turned: boolean;
}

const joined = ['self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj'];

function packedWeights(config: ModelConfig): Packed[] {
  const tensors = expectedTensors(config);
  const head = headName(config);
  const packed: Packed[] = [];
  for (const [name, shape] of tensors) {
    const [, layer = '', module = '', kind = ''] = /^(model\.layers\.\d+\.)(.+)\.(weight|bias)$/.exec(name) ?? [];
    const turned = shape.length === 2 && (layer !== '' || name === head);
    if (!joined.includes(module))
      packed.push({ name: turned ? `turned/${name}` : name, parts: [{ name, shape }], turned });
    else if (module === joined[0]) {
      const parts = joined
        .map((one) => `${layer}${one}.${kind}`)
        .map((part) => ({ name: part, shape: tensors.get(part) ?? [] }));
      packed.push({ name: `turned/${layer}self_attn.${kind}`, parts, turned });
    }
  }
  return packed;
}

const joinedShape = ({ parts }: Packed): number[] => {
  const [first] = parts;
  return [parts.reduce((rows, { shape }) => rows + (shape[0] ?? 0), 0), ...(first?.shape.slice(1) ?? [])];
};

export const decodingWeightState = (config: ModelConfig): Record<string, TensorSpec> =>
  Object.fromEntries(
    packedWeights(config).map((packed) => {
      const shape = joinedShape(packed);
      return [packed.name, { shape: packed.turned ? shape.toReversed() : shape, dtype: 'float32' }];
    }),
  );

/** Of a matrix that is turned over, so much is read at once. */
const chunkBytes = 4 * 1024 * 1024;

/** The content of those variables, from the tensors of the file. */
export function decodingWeightSource(config: ModelConfig, weights: NumbersSource): NumbersSource {
  const byName = new Map(packedWeights(config).map((packed) => [packed.name, packed]));
  return async (name, begin, count, into) => {
    const packed = byName.get(name);
    if (packed === undefined) throw new TypeError(`expected a packed weight, found ${name}`);
    const { parts, turned } = packed;
    const [only, another] = parts;
    if (!turned && only && !another) return weights(only.name, begin, count, into);
    const [rows = 0, ...rest] = joinedShape(packed);
    const width = sizeOf(rest);
    const result = into?.length === rows * width ? into : new Float32Array(rows * width);
    const place = turned
      ? (values: Numbers, row: number) => turnOver(values, width, result, rows, row)
      : (values: Numbers, row: number) => result.set(values, row * width);
    const chunk = new Float32Array(Math.max(width, Math.min(rows * width, chunkBytes / 4)));
    let row = 0;
    for (const { name: part, shape } of parts) {
      const first = row;
      const end = first + (shape[0] ?? 1);
      while (row < end) {
        const asked = Math.min(end - row, Math.floor(chunk.length / width));
        const values = await weights(part, row - first, asked, chunk.subarray(0, asked * width));
        const given = values.length / width;
        // All of it, from a source that knows no rows.
        if (given !== asked && (row !== first || given !== end - first))
          throw new TypeError(`expected ${asked} rows of ${part}, found ${values.length} numbers`);
        place(values, row);
        row += given;
      }
    }
    return result;
  };
}

/** The weights of the file as tensors of a program. */
export function decodingWeights(config: ModelConfig, state: Tensors): Record<string, tf.Tensor> {
  const weights: Record<string, tf.Tensor> = {};
  for (const packed of packedWeights(config)) {
    const variable = namedTensor(state, packed.name);
    const whole = packed.turned ? tf.transpose(variable) : variable;
    const sizes = packed.parts.map(({ shape }) => shape[0] ?? 0);
    const parts = sizes.length === 1 ? [whole] : tf.split(whole, sizes, 0);
    packed.parts.forEach(({ name }, index) => {
      weights[name] = parts[index] ?? whole;
    });
  }
  return weights;
}

/** Some rows of a matrix as columns of the turned one, which begins with `row`. In squares, so that both sides stay in the cache. */
function turnOver(values: Numbers, width: number, turned: Float32Array, rows: number, row: number): void {
  const side = 32;
  const count = values.length / width;
  for (let top = 0; top < count; top += side)
    for (let left = 0; left < width; left += side)
      for (let at = top; at < Math.min(count, top + side); at += 1)
        for (let column = left; column < Math.min(width, left + side); column += 1)
          turned[column * rows + row + at] = values[at * width + column] ?? 0;
}

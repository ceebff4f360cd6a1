import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ModelConfig } from '../../../../engine/files/model-config.js';
import { rotaryFrequencies, rotate, rotation } from '../../../../engine/models/rotary.js';
import { prepareBackend } from '../../../../engine/runners/kernels-backend.js';
import { tf } from '../../../../engine/tf.js';

interface Case {
  readonly headSize: number;
  readonly theta: number;
  readonly scaling: {
    readonly rope_type: string;
    readonly factor: number;
    readonly low_freq_factor: number;
    readonly high_freq_factor: number;
    readonly original_max_position_embeddings: number;
  } | null;
  readonly bits: readonly number[];
}

const { cases } = JSON.parse(readFileSync(join(import.meta.dirname, 'rotary-frequencies.json'), 'utf8')) as {
  readonly cases: readonly Case[];
};

function ropeOf({ theta, scaling }: Case): ModelConfig['rope'] {
  if (scaling === null) return { theta };
  const { factor } = scaling;
  if (scaling.rope_type === 'linear') return { theta, scaling: { kind: 'linear', factor } };
  return {
    theta,
    scaling: {
      kind: 'llama3',
      factor,
      lowFrequencyFactor: scaling.low_freq_factor,
      highFrequencyFactor: scaling.high_freq_factor,
      originalMaximumPositions: scaling.original_max_position_embeddings,
    },
  };
}

test.each(cases)('frequencies are those of transformers bit for bit: $headSize, $theta, $scaling', (given) => {
  const frequencies = rotaryFrequencies({ headSize: given.headSize, rope: ropeOf(given) });
  expect([...new Uint32Array(frequencies.buffer)]).toEqual(given.bits);
});

test('a rotation keeps the length of each pair and turns it by position times frequency', async () => {
  await prepareBackend('cpu');
  const [headSize, position] = [4, 1023];
  const config = { headSize, rope: { theta: 10_000 } };
  const turn = rotation(config, tf.tensor2d([position], [1, 1], 'int32'));
  const [a, b, c, d] = rotate(tf.tensor4d([1, 2, 3, 4], [1, 1, 1, headSize]), turn).dataSync();
  const frequencies = rotaryFrequencies(config);
  const expected = [0, 1].map((pair) => {
    const angle = Math.fround(position * (frequencies[pair] ?? NaN));
    const [x, y] = [1 + pair, 3 + pair];
    return [x * Math.cos(angle) - y * Math.sin(angle), y * Math.cos(angle) + x * Math.sin(angle)];
  });
  const found = [a, c, b, d];
  expected.flat().forEach((value, index) => expect(Math.abs((found[index] ?? NaN) - value)).toBeLessThan(1e-6));
});

/** Forward KL against a dense computation in double precision, from the logits that transformers has written down. */
import { kernelsRunner } from '../../../engine/runners/kernels.js';
import { createForwardKl } from '../../../engine/scoring/forward-kl.js';
import { loadModel } from '../generation/models.js';
import { runners } from '../training/runners.js';

/** The teacher is the student with logits twice as large (exactly, for a power of two), and ids beyond its own that are only padding. */
const sharpness = 2;
const padding = 16;

function logProbabilities(logits: Float32Array, factor: number): Float64Array {
  const scaled = Float64Array.from(logits, (logit) => logit * factor);
  const greatest = scaled.reduce((most, logit) => Math.max(most, logit), -Infinity);
  const sum = greatest + Math.log(scaled.reduce((total, logit) => total + Math.exp(logit - greatest), 0));
  return scaled.map((logit) => logit - sum);
}

test.each(runners)('on %s forward KL over the shared ids is that of dense distributions', async (_, makeRunner) => {
  const { fixture, weights } = await loadModel('llama3-ropescaled');
  const { config } = fixture;
  const vocabularySize = config.vocabularySize + padding;
  const padded = (name: string): Float32Array => {
    const rows = Float32Array.from(weights(name));
    if (!/lm_head|embed_tokens/.test(name)) return rows;
    const factor = name === 'lm_head.weight' ? sharpness : 1;
    const all = new Float32Array((rows.length / config.vocabularySize) * vocabularySize).fill(3);
    all.set(rows.map((value) => value * factor));
    return all;
  };
  const forwardKl = await createForwardKl({
    runner: await makeRunner(),
    student: { config, weights },
    teacher: { config: { ...config, vocabularySize }, weights: padded },
    rowLengths: [32, 64],
    // Several chunks of logits in a row, the last one shorter.
    logitNumbers: 7 * vocabularySize,
  });
  const [batch, reference] = [fixture.int32('input_ids.npy'), fixture.float32('logits.npy')];
  const [rows = 0, tokens = 0] = batch.shape;
  for (let row = 0; row < rows; row += 1) {
    const ids = batch.values.slice(row * tokens, (row + 1) * tokens);
    const found = await forwardKl.divergences(ids);
    expect(found).toHaveLength(tokens - 1);
    found.forEach((divergence, position) => {
      const at = (row * tokens + position) * config.vocabularySize;
      const logits = Float32Array.from(reference.values.subarray(at, at + config.vocabularySize));
      const [p, q] = [logProbabilities(logits, sharpness), logProbabilities(logits, 1)];
      const expected = p.reduce((sum, logP, id) => sum + Math.exp(logP) * (logP - (q[id] ?? NaN)), 0);
      expect(expected).toBeGreaterThan(1e-3);
      expect(Math.abs(divergence - expected)).toBeLessThan(1e-4);
    });
    expect(await forwardKl.divergences(ids)).toEqual(found);
  }
  const refused = (ids: Int32Array, code: string) => expect(forwardKl.divergences(ids)).rejects.toMatchObject({ code });
  await refused(new Int32Array(65), 'sequence-too-long');
  await refused(new Int32Array(), 'inference-setting-invalid');
  // An id that the teacher has and the student has not.
  await refused(Int32Array.of(3, config.vocabularySize), 'inference-setting-invalid');
  forwardKl.dispose();
});

test.each([
  { rowLengths: [] },
  { rowLengths: [64, 32] },
  { rowLengths: [1.5] },
  { rowLengths: [1_000_000] },
  { logitNumbers: 0 },
])('a divergence of impossible shape is refused: %j', async (options) => {
  const { fixture, weights } = await loadModel('qwen3-qknorm');
  const scored = { config: fixture.config, weights };
  const runner = kernelsRunner({ backend: 'wasm' });
  await expect(
    createForwardKl({ runner, student: scored, teacher: scored, rowLengths: [32], ...options }),
  ).rejects.toMatchObject({ code: 'inference-setting-invalid' });
});

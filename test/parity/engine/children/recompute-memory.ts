/** Trains a decoder of eight layers for two steps and prints its losses and by how much memory peaked over a tiny step. */
import { compile } from '../../../../engine/compile.js';
import type { ModelConfig } from '../../../../engine/files/model-config.js';
import { tensorflowRunner } from '../../../../engine/runners/tensorflow.js';
import { configurations } from '../../../support/configurations.js';
import { trainingData, trainingStep } from '../../../unit/engine/passes/training-step.js';
import { forgetPeak, peakBytes, residentBytes } from './memory.js';

const [packageDirectory = '', cacheDirectory = '', mode = '', recompute = ''] = process.argv.slice(2);
const config: ModelConfig = {
  ...configurations.llama,
  layers: 8,
  hiddenSize: 256,
  intermediateSize: 688,
  heads: 8,
  keyValueHeads: 4,
  headSize: 32,
  vocabularySize: 512,
  maximumPositions: 256,
};
const sizes = { tiny: { rows: 1, tokens: 8 }, full: { rows: 16, tokens: 256 } };
const [xla, passes] = [mode === 'xla', { recompute: recompute === 'recompute' }];
// Two layers are enough for what TensorFlow allocates once, and soon compiled.
const tried = { tiny: trainingStep({ ...config, layers: 2 }, sizes.tiny), full: trainingStep(config, sizes.full) };
const session = await compile({
  runner: tensorflowRunner({ packageDirectory, cacheDirectory }),
  state: tried.full.state ?? {},
  programs: {
    tiny: { inputs: tried.tiny.inputs ?? {}, run: tried.tiny.run, xla, passes },
    full: { inputs: tried.full.inputs ?? {}, run: tried.full.run, xla, passes },
  },
});
const data = trainingData(config, sizes.full);
session.write(data.weights);
session.run('tiny', trainingData(config, sizes.tiny).feed);
session.write(data.weights);
const base = residentBytes();
const losses = [session.run('full', data.feed)['loss']?.[0]];
forgetPeak();
losses.push(session.run('full', data.feed)['loss']?.[0]);
console.log(JSON.stringify({ losses, overBytes: peakBytes() - base, operations: session.operations.full }));

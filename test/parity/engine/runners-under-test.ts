/** Every way to run a program. */
import { kernelsRunner } from '../../../engine/runners/kernels.js';
import type { Runner } from '../../../engine/runners/runner.js';
import { tensorflowRunner } from '../../../engine/runners/tensorflow.js';
import { nativeOptions } from '../../support/native-engine.js';

export const nativeRunner = async (): Promise<ReturnType<typeof tensorflowRunner>> =>
  tensorflowRunner(await nativeOptions());

/** Name, runner, and whether programs are to be compiled by XLA. */
export const runnersUnderTest: readonly (readonly [string, () => Promise<Runner>, boolean])[] = [
  ['cpu', async () => kernelsRunner({ backend: 'cpu' }), false],
  ['wasm', async () => kernelsRunner({ backend: 'wasm' }), false],
  ['a TensorFlow graph', nativeRunner, false],
  ['XLA', nativeRunner, true],
];

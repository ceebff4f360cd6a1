/** Every way to run a program. */
import { kernelsRunner } from '../../../engine/runners/kernels.js';
import type { Runner } from '../../../engine/runners/runner.js';
import { tensorflowRunner } from '../../../engine/runners/tensorflow.js';
import { nativePackageDirectory } from '../../support/native-engine.js';
import { temporaryDirectory } from '../../support/temporary.js';

export const nativeRunner = async (): Promise<ReturnType<typeof tensorflowRunner>> =>
  tensorflowRunner({ packageDirectory: await nativePackageDirectory(), cacheDirectory: temporaryDirectory() });

/** Name, runner, and whether programs are to be compiled by XLA. */
export const runnersUnderTest: readonly (readonly [string, () => Promise<Runner>, boolean])[] = [
  ['cpu', async () => kernelsRunner({ backend: 'cpu' }), false],
  ['wasm', async () => kernelsRunner({ backend: 'wasm' }), false],
  ['a TensorFlow graph', nativeRunner, false],
  ['XLA', nativeRunner, true],
];

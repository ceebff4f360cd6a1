/** The runners that training is compared on: wasm, and TensorFlow where set-up has left it. */
import { kernelsRunner } from '../../../engine/runners/kernels.js';
import type { Runner } from '../../../engine/runners/runner.js';
import { tensorflowRunner } from '../../../engine/runners/tensorflow.js';
import { nativeOptions } from '../../support/native-engine.js';

export const runners: [string, () => Promise<Runner>][] = [
  ['wasm', async () => kernelsRunner({ backend: 'wasm' })],
  ['tensorflow', nativeRunner],
];

async function nativeRunner(): Promise<Runner> {
  return tensorflowRunner(await nativeOptions());
}

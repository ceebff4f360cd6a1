/** TensorFlow where `npm run setup` has left it, else WebAssembly, which needs nothing and is several times slower. */
import { join } from 'node:path';
import { readEnvironment } from '../../config/environment.js';
import { kernelsRunner, tensorflowRunner, type Runner } from '../../engine/index.js';
import { findPart } from '../../tools/part.js';
import { silentReporter } from '../../tools/progress.js';
import { packagePath } from '../../tools/tensorflow-addon.js';
import { tensorflow } from '../../tools/tensorflow.js';

/** The process must have been started with the `processSettings` of as many threads. */
export async function chooseRunner(cacheDirectory: string, threads: number): Promise<Runner> {
  const [environment, variables] = [readEnvironment(process.env), process.env];
  const { found } = await findPart(tensorflow, { environment, variables, reporter: silentReporter, verify: false });
  if (found === undefined) return kernelsRunner({ backend: 'wasm' });
  return tensorflowRunner({ packageDirectory: join(found.location, packagePath), cacheDirectory, threads, variables });
}

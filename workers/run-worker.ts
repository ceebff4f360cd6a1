/** A worker as its command line asks for it: modules of the user are loaded, then it serves until it is asked to end. */
import { Runtime } from '@temporalio/worker';
import { loadDataConverter, loadScorers, loadStages } from './load-module.js';
import { parseWorkerArguments, workerUsage, type WorkerArguments } from './command-line.js';
import { asNightstillError, isUsageError } from '../config/errors.js';
import { serve } from './serve.js';

/** How often a worker tells Temporal that it lives: a reader takes it for dead after two of these, and some seconds. */
const workerHeartbeatInterval = '2s';

/** @throws stages-invalid, scorers-invalid, data-converter-invalid, environment-invalid, temporal-unavailable */
export async function runWorker({ stages, scorers, dataConverter, ...service }: WorkerArguments): Promise<void> {
  Runtime.install({ workerHeartbeatInterval });
  await serve({
    ...service,
    ...(stages !== undefined && { stages: await loadStages(stages) }),
    ...(scorers !== undefined && { scorers: await loadScorers(scorers) }),
    ...(dataConverter !== undefined && { dataConverter: await loadDataConverter(dataConverter) }),
  });
}

/**
 * A process that is one worker and ends with it: an error is printed and becomes exit code 1, a mistake on the command line
 * exit code 2.
 */
export async function workerProcess(words: readonly string[]): Promise<never> {
  try {
    await runWorker(parseWorkerArguments(words));
    return process.exit(0);
  } catch (error) {
    if (isUsageError(error)) {
      console.error(`${error.message}\n${workerUsage}`);
      return process.exit(2);
    }
    const { code, message, remedy } = asNightstillError(error);
    console.error(`${code}: ${message}. ${remedy}`);
    if (code === 'unexpected') console.error(error);
    // A stage that works on would keep the process alive.
    return process.exit(1);
  }
}

/** The gpu worker: stages that compute, one at a time a device, each in a child process. Polls no workflow tasks. */
import { workerProcess } from './run-worker.js';

await workerProcess(['--role', 'gpu', ...process.argv.slice(2)]);

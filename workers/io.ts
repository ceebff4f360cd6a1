/** The io worker: stages that move bytes. Polls no workflow tasks. */
import { workerProcess } from './run-worker.js';

await workerProcess(['--role', 'io', ...process.argv.slice(2)]);

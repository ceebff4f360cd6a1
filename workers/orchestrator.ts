/** The orchestrator worker: decides what happens when, resolves plans, looks results up. Loads no native code of ours. */
import { workerProcess } from './run-worker.js';

await workerProcess(['--role', 'orchestrator', ...process.argv.slice(2)]);

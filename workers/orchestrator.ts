/** The orchestrator worker: decides what happens when, resolves plans, looks results up. Loads no native code of ours. */
import { fileURLToPath } from 'node:url';
import { DistillationPlugin } from '../plugins/index.js';
import { queuePrefixArgument } from './command-line.js';
import { runProcess, serve } from './serve.js';

runProcess(async () =>
  serve({
    role: 'orchestrator',
    plugin: new DistillationPlugin({ role: 'orchestrator', queuePrefix: queuePrefixArgument(process.argv) }),
    workflowsPath: fileURLToPath(new URL('../workflows/index.js', import.meta.url)),
  }),
);

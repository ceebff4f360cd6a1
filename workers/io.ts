/** The io worker: stages that move bytes, each in a child process. Polls no workflow tasks. */
import { DistillationPlugin } from '../plugins/index.js';
import { queuePrefixArgument } from './command-line.js';
import { importChild } from './programs.js';
import { runProcess, serve } from './serve.js';

runProcess(async () =>
  serve({
    role: 'io',
    plugin: new DistillationPlugin({ role: 'io', importChild, queuePrefix: queuePrefixArgument(process.argv) }),
  }),
);

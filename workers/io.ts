/** The io worker: stages that move bytes, each in a child process. Polls no workflow tasks. */
import { DistillationPlugin } from '../plugins/index.js';
import { importChild } from './programs.js';
import { queuePrefixArgument, runProcess, serve } from './serve.js';

runProcess(() =>
  serve({
    role: 'io',
    plugin: new DistillationPlugin({ role: 'io', importChild, queuePrefix: queuePrefixArgument(process.argv) }),
  }),
);

/** The gpu worker: stages that compute, one at a time, each in a child process. Polls no workflow tasks. */
import { DistillationPlugin } from '../plugins/index.js';
import { queuePrefixArgument } from './command-line.js';
import { programs } from './programs.js';
import { runProcess, serve } from './serve.js';

runProcess(async () =>
  serve({
    role: 'gpu',
    plugin: new DistillationPlugin({ role: 'gpu', programs, queuePrefix: queuePrefixArgument(process.argv) }),
  }),
);

/** The io worker: stages that move bytes. Polls no workflow tasks. */
import { DistillationPlugin } from '../plugins/index.js';
import { queuePrefixArgument } from './command-line.js';
import { programs } from './programs.js';
import { runProcess, serve } from './serve.js';

runProcess(async () =>
  serve({
    role: 'io',
    plugin: new DistillationPlugin({ role: 'io', programs, queuePrefix: queuePrefixArgument(process.argv) }),
  }),
);

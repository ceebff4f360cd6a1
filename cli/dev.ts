/** `nightstill dev`: a Temporal server and workers on this machine, until Ctrl-C. */
import { relative } from 'node:path';
import { defaultQueuePrefix } from '../config/queues.js';
import { commonExits, defineCommand, exitStatus } from './command.js';
import { dataConverterFlag } from './connection-flags.js';
import { wholeNumber } from './numbers.js';
import { workerFlags, workerFlagWords } from './worker-flags.js';

const defaultPort = 7233;

export const devCommand = defineCommand({
  name: 'dev',
  group: 'machines',
  summary: 'start a Temporal server with its user interface and workers here, until Ctrl-C',
  about: `Starts everything that a run needs on this machine: a Temporal server with its user interface, and a worker for each
role. The database of the server, the default store and the logs lie in .nightstill in the current directory, so that
runs go on where they were when it is started again. What dies is started again. Ctrl-C ends all of it in order;
a second Ctrl-C ends it at once.`,
  flags: {
    port: { value: 'port', summary: `of the Temporal server; default ${defaultPort}, or any when that one is taken` },
    ...workerFlags,
    ...dataConverterFlag,
  },
  exits: { 0: 'ended in order', ...commonExits },
  run: async ({ flags, variables }) => {
    const { LocalStack, userInterfaceOffset } = await import('./dev/local-stack.js');
    const { StateDirectory } = await import('./dev/state-directory.js');
    const { provideLocalParts } = await import('./dev/parts.js');
    const { onInterrupt } = await import('./interrupt.js');
    const state = new StateDirectory(process.cwd());
    const interrupted = new Promise<void>((resolve) => onInterrupt(resolve));
    const { temporalBinary } = await provideLocalParts(variables, 'unknown');
    const stack = await LocalStack.start({
      state,
      verb: 'dev',
      temporalBinary,
      queuePrefix: flags['queue-prefix'] ?? defaultQueuePrefix,
      workerFlags: workerFlagWords(flags),
      variables,
      port: flags.port === undefined ? defaultPort : wholeNumber('port', flags.port, [1, 65_535 - userInterfaceOffset]),
      onRestart: (name, end) => process.stderr.write(`${name} ended (${end}): started again\n`),
    });
    const { address, userInterface } = stack.note;
    const here = (path: string): string => `./${relative(process.cwd(), path)}`;
    process.stdout.write(`
  nightstill is ready

  Temporal    ${address}
  interface   ${userInterface}
  store       ${state.storeUrl}
  logs        ${here(state.logs)}

  In another terminal, in this directory:   nightstill run <plan>
  Ctrl-C ends it; runs go on when it is started again.

`);
    await interrupted;
    onInterrupt(() => {
      void stack.kill().finally(() => process.exit(exitStatus.left));
    });
    process.stderr.write('ending: stages make their work durable first (Ctrl-C again: at once)\n');
    await stack.stop();
    return exitStatus.ok;
  },
});

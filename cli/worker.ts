/** `nightstill worker`: one process that serves task queues until it is asked to end. */
import { commonExits, defineCommand, exitStatus } from './command.js';
import { connectionFlags } from './connection-flags.js';
import { workerFlags } from './worker-flags.js';
import { roles } from '../config/queues.js';
import { parseWorkerArguments } from '../workers/command-line.js';

export const workerCommand = defineCommand({
  name: 'worker',
  group: 'machines',
  summary: 'serve task queues of a Temporal server, until Ctrl-C',
  about: `Connects to the Temporal server that TEMPORAL_* variables or the profile name (else \`nightstill dev\` of this directory, else
127.0.0.1:7233) and serves the queues of its roles: orchestrator decides and looks up, io moves bytes, gpu computes, on
whatever device there is. Asked to end by Ctrl-C or SIGTERM, its stages make their work durable first.`,
  flags: {
    role: { value: 'role,...', summary: `what it is able to do: ${roles.join(', ')}; default all`, offers: roles },
    devices: {
      value: 'device,...',
      summary: 'of a gpu worker, one stage at a time each: cpu, or as CUDA names them; default what is there',
    },
    'end-within': { value: 'seconds', summary: 'that stages may take to end when the worker is asked to; default 60' },
    ...workerFlags,
    ...connectionFlags,
  },
  exits: { 0: 'ended in order', ...commonExits },
  run: async ({ flags: { profile, ...flags } }) => {
    const { findTemporal } = await import('./connect.js');
    const { runWorker } = await import('../workers/run-worker.js');
    const words = Object.entries(flags).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`, value]));
    const service = parseWorkerArguments(words);
    // Workers read where Temporal is from the environment, as Temporal's own programs do.
    const { settings } = await findTemporal(profile);
    if (profile !== undefined) process.env['TEMPORAL_PROFILE'] = profile;
    process.env['TEMPORAL_ADDRESS'] = settings.connectionOptions.address;
    await runWorker(service);
    return exitStatus.ok;
  },
});

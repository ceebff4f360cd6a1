/** `nightstill cancel`: ends a run; its stages make their work durable first. */
import { commonExits, defineCommand, exitStatus } from './command.js';
import { connectionFlags } from './connection-flags.js';

export const cancelCommand = defineCommand({
  name: 'cancel',
  group: 'runs',
  summary: 'end a run; its stages make their work durable first',
  about:
    'Asks a run to end, and waits until it has, unless told not to. Started again, it goes on from its last checkpoints.',
  words: [{ name: 'run' }],
  flags: {
    'no-wait': { summary: 'return when the run has been asked' },
    ...connectionFlags,
  },
  exits: { 0: 'the run is cancelled, or was over', ...commonExits },
  run: async ({ flags, words: [runId = ''] }) => {
    const { connect } = await import('./connect.js');
    const { RunHandle } = await import('../client/index.js');
    const open = await connect(flags);
    try {
      const handle = new RunHandle(open.client, runId);
      await handle.cancel();
      if (flags['no-wait']) process.stdout.write(`run ${runId} was asked to end\n`);
      else process.stdout.write(`run ${runId}: ${await endOf(handle)}\n`);
      return exitStatus.ok;
    } finally {
      await open.close();
    }
  },
});

async function endOf(handle: { result(): Promise<unknown> }): Promise<string> {
  const { hasCode } = await import('../config/errors.js');
  try {
    await handle.result();
    return 'it had completed';
  } catch (error) {
    if (hasCode(error, 'run-cancelled')) return 'cancelled';
    if (hasCode(error, 'run-missing', 'run-unreadable', 'temporal-unavailable', 'temporal-refused')) throw error;
    return `it had ended: ${error instanceof Error ? error.message : String(error)}`;
  }
}

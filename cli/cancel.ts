/** `nightstill cancel`: ends a run; its stages make their work durable first. */
import type { RunEvent, RunReference } from '../client/index.js';
import { commonExits, defineCommand, exitStatus } from './command.js';
import { connectionFlags } from './connection-flags.js';
import type { HoldUp } from './view/sentences.js';

export const cancelCommand = defineCommand({
  name: 'cancel',
  group: 'runs',
  summary: 'end a run; its stages make their work durable first',
  about:
    'Asks a run to end, says so, and waits until it has, unless told not to. Started again, it goes on from its last checkpoints.',
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
      const run = new RunHandle(open.client, runId);
      await run.cancel();
      process.stdout.write(`run ${runId} was asked to end\n`);
      if (!flags['no-wait']) process.stdout.write(`run ${runId}: ${await endOf(run)}\n`);
      return exitStatus.ok;
    } finally {
      await open.close();
    }
  },
});

/** Says meanwhile what holds the end up. */
async function endOf(run: RunReference): Promise<string> {
  const { watch } = await import('../client/index.js');
  const { holdUpSentence } = await import('./view/sentences.js');
  let end = '';
  for await (const event of watch(run)) {
    if (event.type === 'end') end = wordsOf(event);
    if (isHoldUp(event)) process.stderr.write(`${holdUpSentence(event)}\n`);
  }
  return end;
}

/** A missing worker of a stage is not waited for: only that of the run itself, which has no node. */
const isHoldUp = (event: RunEvent): event is HoldUp =>
  event.type === 'no-worker' ? event.nodes.length === 0 : event.type === 'reconnecting' || event.type === 'reconnected';

function wordsOf({ status, failure }: Extract<RunEvent, { readonly type: 'end' }>): string {
  if (status === 'cancelled') return 'cancelled';
  return status === 'completed' ? 'it had completed' : `it had ended: ${failure?.code ?? status}: ${failure?.message}`;
}

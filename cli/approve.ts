/** `nightstill approve` and `nightstill reject`: decide whether a student that passed its gate is promoted. */
import { commonExits, defineCommand, exitStatus, type Command } from './command.js';
import { connectionFlags } from './connection-flags.js';

const flags = {
  node: { value: 'node', summary: 'of this node; needed where a run waits at several' },
  verdict: {
    value: 'digest',
    summary: 'decide only if this is the verdict that the run asks about, as it was shown before',
  },
  by: { value: 'name', summary: 'who decides; default: who is logged in here' },
  reason: { value: 'text', summary: 'why, kept in the record of the run, the history of the name and the model card' },
  yes: { summary: 'decide without asking: needed where nobody can be asked' },
  json: { summary: 'as JSON' },
  ...connectionFlags,
} as const;

const about = `Shows what the run asks: the model, what serves now, the scores with their intervals, what the gate said. Then it asks, unless
--yes says it all: the decision counts for what was shown, and for nothing else.`;

export const approveCommand = decisionCommand({
  name: 'approve',
  act: 'approve',
  summary: 'let a run promote the student that passed its gate',
  about: `${about}

The first decision stands: the same one again changes nothing. When something else serves by then, the run asks anew.`,
});

export const rejectCommand = decisionCommand({
  name: 'reject',
  act: 'reject',
  summary: 'let a run end without promoting the student that passed its gate',
  about: `${about}

The run completes, and nothing is promoted. The first decision stands.`,
});

interface Act extends Pick<Command, 'name' | 'summary' | 'about'> {
  readonly act: 'approve' | 'reject';
}

function decisionCommand({ act, ...words }: Act): Command {
  return defineCommand({
    ...words,
    group: 'runs',
    words: [{ name: 'run' }],
    flags,
    exits: {
      0: 'decided, now or by the same decision before',
      1: commonExits[1],
      2: `nothing was decided: it needs a yes, or ${commonExits[2]}`,
    },
    run: async ({ flags: given, words: [runId = ''] }) => {
      const { connect } = await import('./connect.js');
      const { decide } = await import('./decide.js');
      const open = await connect(given);
      try {
        const isDecided = await decide({ client: open.client, runId, act, flags: given });
        return isDecided ? exitStatus.ok : exitStatus.userFault;
      } finally {
        await open.close();
      }
    },
  });
}

export type DecisionFlags = Parameters<Parameters<typeof defineCommand<typeof flags>>[0]['run']>[0]['flags'];

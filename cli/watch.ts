/** `nightstill watch`: the live tree of a run that is somewhere under way. */
import { commonExits, defineCommand } from './command.js';
import { connectionFlags } from './connection-flags.js';

export const watchCommand = defineCommand({
  name: 'watch',
  group: 'runs',
  summary: 'watch a run until it is over',
  about:
    'Shows a run live, as `nightstill run` does. Ctrl-C stops the watching and not the run, and so does a reader that closes the output.',
  words: [{ name: 'run' }],
  flags: {
    json: { summary: 'one JSON event a line' },
    ...connectionFlags,
  },
  exits: { 0: 'completed', ...commonExits, 3: 'the run failed or was cancelled', 130: 'left while it was going on' },
  run: async ({ flags, words: [runId = ''], variables }) => {
    const { connect } = await import('./connect.js');
    const { watchRun } = await import('./watch-run.js');
    const { onInterrupt } = await import('./interrupt.js');
    const { exitStatusOf } = await import('./summary.js');
    const open = await connect(flags);
    try {
      const leaving = new AbortController();
      onInterrupt(() => leaving.abort());
      // Whoever read it has left, as `head -1` does.
      process.stdout.once('error', () => leaving.abort());
      const { view } = await watchRun({
        client: open.client,
        runId,
        json: flags.json,
        variables,
        signal: leaving.signal,
      });
      return exitStatusOf(view);
    } finally {
      await open.close();
    }
  },
});

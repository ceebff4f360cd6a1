/** `nightstill status`: how a run stands, or which runs there are. */
import { commonExits, defineCommand, exitStatus, UsageError } from './command.js';
import { connectionFlags } from './connection-flags.js';
import { storeFlag, storeOfRecords } from './default-store.js';

export const statusCommand = defineCommand({
  name: 'status',
  group: 'runs',
  summary: 'say how a run stands, or which runs there are',
  about: `Without a run: the newest runs. With one: how it stands, or how it ended. What Temporal has forgotten, or cannot be asked,
is read from the record of the run in the store. A run has one once its plan is resolved; of a run that was terminated it does not
say how it ended.`,
  words: [{ name: 'run', optional: true }],
  flags: {
    json: { summary: 'as JSON' },
    store: { ...storeFlag.store, summary: `where the run is recorded; ${storeFlag.store.summary}` },
    ...connectionFlags,
  },
  exits: { 0: 'said', ...commonExits },
  run: async ({ flags, words: [runId], variables }) => {
    const { askServer, connectLazily } = await import('./connect.js');
    const { describeRun, describeRuns } = await import('./describe-run.js');
    if (runId === '') throw new UsageError('expected the id of a run, found an empty word');
    const open = await connectLazily(flags);
    try {
      const { client } = open;
      const store = flags.store ?? storeOfRecords(variables);
      const text = await askServer(open, runId === undefined ? 'the runs' : `run ${runId}`, () =>
        runId === undefined
          ? describeRuns(open, flags.json)
          : describeRun({ client, runId, ...(store !== undefined && { store }) }, flags.json, variables),
      );
      process.stdout.write(`${text}\n`);
      return exitStatus.ok;
    } finally {
      await open.close();
    }
  },
});

/** `nightstill logs`: what happened in a run, or what the processes of this directory have printed. */
import { commonExits, defineCommand, exitStatus, UsageError } from './command.js';
import { connectionFlags } from './connection-flags.js';
import { wholeNumber } from './numbers.js';

const processes = ['temporal', 'orchestrator', 'io', 'gpu'] as const;
const defaultLines = 40;

export const logsCommand = defineCommand({
  name: 'logs',
  group: 'runs',
  summary: 'say what happened in a run, or what the processes of this directory have printed',
  about: `With a run: what happened in it, in the order of time: every attempt with its worker, its end and its failure.
Without one: the last lines that the Temporal server and the workers of this directory have printed.`,
  words: [{ name: 'run', optional: true }],
  flags: {
    node: { value: 'node', summary: 'only of this node' },
    process: { value: 'name', summary: `only of this process: ${processes.join(', ')}`, offers: processes },
    lines: { value: 'n', summary: `of each process; default ${defaultLines}` },
    json: { summary: 'what happened in the run as JSON, one entry a line' },
    ...connectionFlags,
  },
  exits: { 0: 'said', ...commonExits },
  run: async ({ flags, words: [runId] }) => {
    const only = processes.find((name) => name === flags.process);
    if (flags.process !== undefined && only === undefined)
      throw new UsageError(`--process: expected ${processes.join(', ')}, found "${flags.process}"`);
    const count = wholeNumber('lines', flags.lines ?? String(defaultLines), [1, 1_000_000]);
    const { tailOf, entriesOf } = await import('./read-logs.js');
    if (runId === undefined) {
      for (const name of only === undefined ? processes : [only]) process.stdout.write(await tailOf(name, count));
      return exitStatus.ok;
    }
    const { connect } = await import('./connect.js');
    const open = await connect(flags);
    try {
      for await (const line of entriesOf({ client: open.client, runId }, flags)) process.stdout.write(`${line}\n`);
      return exitStatus.ok;
    } finally {
      await open.close();
    }
  },
});

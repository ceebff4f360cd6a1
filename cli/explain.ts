/** `nightstill explain`: why each node of a run was reused or had to run. */
import type { Explanation } from '../client/index.js';
import { commonExits, defineCommand, exitStatus } from './command.js';
import { connectionFlags } from './connection-flags.js';
import { readRecorded, recordedInFlag } from './default-store.js';

export const explainCommand = defineCommand({
  name: 'explain',
  group: 'runs',
  summary: 'say why each node of a run was reused or had to run',
  about: `Compares what the work of a node depends on with what it depended on in the run before. Read from the store, which is that of
the plan when Temporal still knows the run.`,
  words: [{ name: 'run' }, { name: 'node', optional: true }],
  flags: {
    json: { summary: 'as JSON' },
    ...recordedInFlag,
    ...connectionFlags,
  },
  exits: { 0: 'said', ...commonExits },
  run: async ({ flags, words: [runId = '', node], variables }) => {
    const { askServer, connectLazily } = await import('./connect.js');
    const { explain } = await import('../client/index.js');
    const open = await connectLazily(flags);
    try {
      const { client } = open;
      const about = { runId, client, ...(node !== undefined && { node }) };
      const explanations = await askServer(open, `run ${runId}`, () =>
        readRecorded(flags.store, variables, (store) => explain(store === undefined ? about : { ...about, store })),
      );
      const text = flags.json ? JSON.stringify(explanations) : explanations.map(describe).join('\n\n');
      process.stdout.write(
        `${text || `run ${runId}: nothing was looked up${node === undefined ? '' : ` for ${node}`}`}\n`,
      );
      return exitStatus.ok;
    } finally {
      await open.close();
    }
  },
});

const shownHex = 16;

function describe(explanation: Explanation): string {
  const { node, status, why, stageKey, stageKeyBefore, differences, recordedBy } = explanation;
  const lines = [`${node}: ${status ?? 'unknown'}${why === undefined ? '' : `, ${why}`}`];
  if (stageKey !== undefined)
    lines.push(`  work      ${stageKey.slice(0, shownHex)}${stageKeyBefore === undefined ? ', of no run before' : ''}`);
  if (stageKeyBefore !== undefined)
    lines.push(`  before    ${stageKeyBefore === stageKey ? 'the same' : stageKeyBefore.slice(0, shownHex)}`);
  for (const [index, difference] of differences.entries())
    lines.push(`  ${index === 0 ? 'differs  ' : '         '} ${difference}`);
  if (recordedBy !== undefined) lines.push(`  recorded  by run ${recordedBy}`);
  return lines.join('\n');
}

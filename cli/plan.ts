/** `nightstill plan`: what a run of a plan would do now, without doing it. */
import type { PlanPreview } from '../activities/preview-plan.js';
import type { StageKind } from '../config/stage-kind.js';
import { defaultQueuePrefix } from '../config/queues.js';
import { drawTable } from '../tools/setup.js';
import { commonExits, defineCommand, exitStatus, UsageError } from './command.js';
import { formatDuration } from '../config/format-duration.js';
import { workerFlags } from './worker-flags.js';

export const planCommand = defineCommand({
  name: 'plan',
  group: 'runs',
  summary: 'say what a run of a plan would reuse and what it would run, and why',
  about: `Checks a plan and compares it with what its store holds: nothing is started, and nothing is written. Where an estimate
stands, it is how long the node took last.`,
  words: [{ name: 'plan', optional: true, offers: 'plan' }],
  flags: {
    date: { value: 'day', summary: 'that {{scheduledDate}} stands for: 2026-11-27' },
    json: { summary: 'as JSON' },
    schema: { summary: 'print the JSON schema of plan files instead, for editors' },
    ...workerFlags,
  },
  exits: { 0: 'the plan holds', ...commonExits },
  run: async ({ flags, words: [path], variables }) => {
    const { loadPlan, kindsKnownHere } = await import('./plan/load-plan.js');
    if (flags.schema) return printSchema(await kindsKnownHere(flags));
    if (path === undefined) throw new UsageError('expected a plan, or --schema');
    const { previewPlan } = await import('../activities/preview-plan.js');
    const queuePrefix = flags['queue-prefix'] ?? defaultQueuePrefix;
    const { file, kinds, locate } = await loadPlan({ ...flags, path, queuePrefix, variables });
    try {
      const preview = await previewPlan(file, { kinds, queuePrefix });
      process.stdout.write(`${flags.json ? JSON.stringify(preview) : describe(preview)}\n`);
      return exitStatus.ok;
    } catch (error) {
      throw locate(error);
    }
  },
});

async function printSchema(kinds: readonly StageKind[]): Promise<number> {
  const { planJsonSchema } = await import('../activities/plan-json-schema.js');
  process.stdout.write(`${JSON.stringify(planJsonSchema(kinds), null, 2)}\n`);
  return exitStatus.ok;
}

const shownHex = 12;

function describe({ plan, store, nodes, caps = [] }: PlanPreview): string {
  const rows = nodes.map(({ id, uses, queue, verdict, stageKey, estimateMs, why }) => [
    id,
    uses,
    queue,
    stageKey?.slice(0, shownHex) ?? '',
    verdict,
    verdict === 'reused' || estimateMs === undefined ? '' : formatDuration(estimateMs),
    why,
  ]);
  const notes = nodes.flatMap(({ id, notes: ofNode = [] }) => ofNode.map((note) => `  ${id}: ${note}\n`));
  notes.push(...caps.map((cap) => `  budget: ${cap}\n`));
  const known = nodes.filter(({ verdict }) => verdict !== 'reused');
  const totalMs = known.reduce((sum, { estimateMs = 0 }) => sum + estimateMs, 0);
  const reused = nodes.length - known.length;
  return `
  ${plan}  ${store}

${drawTable(['node', 'uses', 'queue', 'work', 'a run', 'about', 'why'], rows).replaceAll(/^/gm, '  ')}

  ${reused} of ${nodes.length} nodes reused${totalMs > 0 ? `, about ${formatDuration(totalMs)} of work` : ''}
${notes.length > 0 ? `\n${notes.join('')}` : ''}`;
}

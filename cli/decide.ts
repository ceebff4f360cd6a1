/** What `nightstill approve` and `reject` do: show the question, ask whether it is meant, and send the decision on what was shown. */
import { createInterface } from 'node:readline/promises';
import type { Client } from '@temporalio/client';
import { approve, openApprovals, reject, status, type Approval, type ApprovalDecision } from '../client/index.js';
import { sayDecision } from '../config/approval.js';
import { NightstillError } from '../config/errors.js';
import { drawTable } from '../tools/setup.js';
import type { DecisionFlags } from './approve.js';
import { UsageError } from './command.js';
import { formatDuration } from '../config/format-duration.js';
import { whoAmI } from './who-am-i.js';

interface Decision {
  readonly client: Client;
  readonly runId: string;
  readonly act: 'approve' | 'reject';
  readonly flags: DecisionFlags;
}

/** @returns whether it was decided. @throws what `approve` of the client throws */
export async function decide({ client, runId, act, flags }: Decision): Promise<boolean> {
  const seen = await questionOf({ client, runId }, flags);
  const isOpen = seen.decision === undefined;
  const write = (text: string): void => void process.stdout.write(`${text}\n`);
  if (!flags.json) write(drawQuestion(seen, Date.now()));
  if (isOpen && !flags.yes && !(await isMeant(act, seen))) {
    if (flags.json) write(JSON.stringify({ approval: seen, decided: false }));
    process.stderr.write('Nothing was decided. With --yes it is.\n');
    return false;
  }
  const send = act === 'approve' ? approve : reject;
  const { reason, by = whoAmI() } = flags;
  const decision = await send({ client, runId }, { seen, by, ...(reason !== undefined && { reason }) });
  write(flags.json ? JSON.stringify({ approval: seen, decided: true, decision }) : drawDecision(seen, decision));
  return true;
}

type Run = Pick<Decision, 'client' | 'runId'>;

/** The one that waits; else one that was decided, so that the same decision can be repeated. @throws approval-not-open, approval-mismatch */
async function questionOf(run: Run, { node, verdict }: DecisionFlags): Promise<Approval> {
  const wanted = (approval: Approval): boolean => node === undefined || approval.node === node;
  const open = (await openApprovals(run)).filter(wanted);
  const view = open.length === 0 ? await status(run) : undefined;
  const asked = (view?.nodes ?? []).flatMap(({ approval }) => approval ?? []);
  const decided = asked.filter((approval) => approval.decision !== undefined && wanted(approval));
  const [found, ...others] = view ? decided : open;
  if (found && others.length > 0)
    throw new UsageError(
      `expected --node, since the run ${view ? 'has decided' : 'waits'} at ${[found, ...others].map((each) => each.node).join(', ')}`,
    );
  if (found === undefined)
    throw new NightstillError(
      'approval-not-open',
      `run ${run.runId}: expected one that waits for a decision, found it ${view?.status ?? 'running'}`,
    );
  if (verdict !== undefined && verdict !== found.verdict)
    throw new NightstillError(
      'approval-mismatch',
      `run ${run.runId}: expected it to ask about the verdict ${verdict}, found ${found.verdict}`,
    );
  return found;
}

/** Where nobody can be asked, only a flag says it. */
async function isMeant(act: Decision['act'], { name, alias }: Approval): Promise<boolean> {
  const { stdin: input, stderr: output } = process;
  if (!input.isTTY || !output.isTTY) return false;
  const question = createInterface({ input, output });
  try {
    const answer = await question.question(
      `${act === 'approve' ? 'Promote it to' : 'Keep it from'} ${name}/${alias}? [y/N] `,
    );
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    question.close();
  }
}

export function drawQuestion(approval: Approval, nowMs: number): string {
  const { node, name, alias, candidate, champion, verdict, scores, reasons, untilMs } = approval;
  const facts = [
    ['candidate', candidate],
    ['champion', champion ?? 'none'],
    ['verdict', verdict],
    [
      'until',
      `${new Date(untilMs).toISOString()}${untilMs > nowMs ? `, ${formatDuration(untilMs - nowMs)} left` : ''}`,
    ],
  ];
  const rows = scores.map(({ scorer, items, value, interval, champion: served }) => [
    scorer,
    value.toFixed(3),
    `${interval.lower.toFixed(3)} – ${interval.upper.toFixed(3)}`,
    served === undefined ? 'not measured' : served.toFixed(3),
    String(items),
  ]);
  return [
    `${node}: ${name}/${alias}`,
    ...facts.map(([label = '', fact = '']) => `  ${label.padEnd(9)}  ${fact}`),
    '',
    drawTable(['score', 'candidate', 'interval', 'champion', 'items'], rows).replaceAll(/^/gm, '  '),
    '',
    'The gate let it pass:',
    ...reasons.map((reason) => `  ${reason}`),
    '',
  ].join('\n');
}

const drawDecision = ({ node }: Approval, decision: ApprovalDecision): string => `${node}: ${sayDecision(decision)}`;

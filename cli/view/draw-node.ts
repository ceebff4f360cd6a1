/** What stands behind a node: how it ended, how far it is, or what it waits for. */
import type { ActivityView, NodeView } from '../../client/index.js';
import { formatDuration } from '../../config/format-duration.js';
import { formatCount, formatLoss, shortDigest } from './format.js';
import { piece, type Piece } from './line.js';
import { timeLeftMs, type Pace } from './run-view.js';

const barWidth = 20;

export function drawDetail(node: NodeView, pace: Pace | undefined, nowMs: number): Piece[] {
  switch (node.status) {
    case 'done':
      return [piece(tookOf(node)), ...reason(node)];
    case 'reused':
      return [piece('reused', 'good'), ...reason(node)];
    case 'failed':
      return [piece(node.why ?? 'failed', 'bad')];
    case 'cancelled':
    case 'skipped':
      return [piece(node.status, 'quiet')];
    case 'looking-up':
      return [piece('is looked up', 'quiet')];
    case 'awaiting-approval':
      return [piece(waitsForApproval(node, nowMs), 'warning')];
    case 'running':
      return drawWork(node, pace, nowMs);
    case 'waiting':
      return node.needs.length === 0 ? [] : [piece(`after ${node.needs.join(', ')}`, 'quiet')];
  }
}

/** Which student, and for how long; the command stands below the tree. */
function waitsForApproval({ approval }: NodeView, nowMs: number): string {
  if (!approval) return 'waits for approval';
  const left = formatDuration(Math.max(0, approval.untilMs - nowMs));
  return `waits for approval of ${shortDigest(approval.candidate)}, ${left} left`;
}

const tookOf = ({ startedAtMs, endedAtMs }: NodeView): string =>
  startedAtMs === undefined || endedAtMs === undefined ? 'ran' : `ran ${formatDuration(endedAtMs - startedAtMs)}`;

const reason = ({ why }: NodeView): Piece[] => (why === undefined ? [] : [piece(`  ${why}`, 'quiet')]);

function drawWork(node: NodeView, pace: Pace | undefined, nowMs: number): Piece[] {
  const { activity } = node;
  if (activity === undefined || activity.state === 'waiting') return [piece('waits for a worker', 'quiet')];
  if (activity.state === 'backing-off') return againAfter(activity, nowMs);
  if (activity.state === 'paused') return [piece('paused', 'warning')];
  const again = activity.attempt > 1 ? [piece(`  attempt ${activity.attempt}`, 'warning')] : [];
  const ending = activity.state === 'ending' ? [piece('  is asked to end', 'warning')] : [];
  return [...drawProgress(activity, timeLeftMs(node, pace, nowMs)), ...again, ...ending];
}

function drawProgress({ progress }: ActivityView, leftMs: number | undefined): Piece[] {
  const { phase = 'starts', facts = {} } = progress ?? {};
  const { done, of, unit, loss, tokensPerSecond } = facts;
  return [
    ...(done === undefined || of === undefined || of === 0
      ? [piece(`${phase} …`)]
      : [...drawBar(done / of), piece(`  ${phase === 'train' ? '' : `${phase}, `}${countOf(unit, done, of)}`)]),
    ...(tokensPerSecond === undefined ? [] : [piece(`  ${formatCount(tokensPerSecond)} tokens/s`, 'quiet')]),
    ...(loss === undefined ? [] : [piece(`  loss ${formatLoss(loss)}`)]),
    ...(leftMs === undefined ? [] : [piece(`  ${formatDuration(leftMs)} left`, 'quiet')]),
  ];
}

function againAfter({ attempt, lastFailure, nextAttemptAtMs }: ActivityView, nowMs: number): Piece[] {
  const when = nextAttemptAtMs === undefined ? 'soon' : `in ${formatDuration(Math.max(0, nextAttemptAtMs - nowMs))}`;
  const failure = lastFailure === undefined ? '' : `${lastFailure.code}: ${lastFailure.message.split('\n')[0]}`;
  return [piece(`attempt ${attempt} ${when}`, 'warning'), piece(`  after ${failure}`, 'quiet')];
}

function drawBar(fraction: number): Piece[] {
  const filled = Math.round(Math.min(1, Math.max(0, fraction)) * barWidth);
  return [piece('━'.repeat(filled), 'busy'), piece('─'.repeat(barWidth - filled), 'quiet')];
}

const byteUnits: readonly (readonly [string, number])[] = [
  ['GB', 1e9],
  ['MB', 1e6],
  ['kB', 1e3],
];

/** `212 of 400 steps`, `3.1 of 8.0 MB`. */
export function countOf(unit: string | undefined, done: number, of: number): string {
  if (unit !== 'bytes') return `${formatCount(done)} of ${formatCount(of)}${unit === undefined ? '' : ` ${unit}`}`;
  const [name, size] = byteUnits.find(([, bytes]) => of >= bytes) ?? ['kB', 1e3];
  return `${(done / size).toFixed(1)} of ${(of / size).toFixed(1)} ${name}`;
}

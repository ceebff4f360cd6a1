/** What stands behind a node: how it ended, how far it is, or what it waits for. */
import type { Canvas } from './draw-run.js';
import { formatCount, formatDuration, formatLoss } from './format.js';
import { piece, type Piece } from './line.js';
import { timeLeftMs, type NodeView } from './run-view.js';

const barWidth = 20;

export function drawDetail(node: NodeView, { nowMs }: Pick<Canvas, 'nowMs'>): Piece[] {
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
      return [piece('looked up', 'quiet')];
    case 'running':
      return drawWork(node, nowMs);
    case 'waiting':
      return node.needs.length === 0 ? [] : [piece(`after ${node.needs.join(', ')}`, 'quiet')];
  }
}

const tookOf = ({ startedAtMs, endedAtMs }: NodeView): string =>
  startedAtMs === undefined || endedAtMs === undefined ? 'ran' : `ran ${formatDuration(endedAtMs - startedAtMs)}`;

const reason = ({ why }: NodeView): Piece[] => (why === undefined ? [] : [piece(`  ${why}`, 'quiet')]);

function drawWork(node: NodeView, nowMs: number): Piece[] {
  const { activity, unpolled, queue } = node;
  if (activity?.phase === undefined) {
    if (unpolled) return [piece(`no worker polls ${queue}`, 'warning')];
    return activity && activity.attempt > 1 ? attempts(activity) : [piece('waits for a worker', 'quiet')];
  }
  const { phase, facts = {} } = activity;
  const { done, of, unit, loss, tokensPerSecond } = facts;
  const left = timeLeftMs(node, nowMs);
  return [
    ...(done === undefined || of === undefined || of === 0
      ? [piece(phase)]
      : [...drawBar(done / of), piece(`  ${countOf(unit, done, of)}`)]),
    ...(tokensPerSecond === undefined ? [] : [piece(`  ${formatCount(tokensPerSecond)} tokens/s`, 'quiet')]),
    ...(loss === undefined ? [] : [piece(`  loss ${formatLoss(loss)}`)]),
    ...(left === undefined ? [] : [piece(`  ${formatDuration(left)} left`, 'quiet')]),
    ...(activity.attempt > 1 ? [piece('  ', 'quiet'), ...attempts(activity)] : []),
  ];
}

function attempts({ attempt, lastFailure }: NonNullable<NodeView['activity']>): Piece[] {
  return [
    piece(`attempt ${attempt}`, 'warning'),
    ...(lastFailure === undefined ? [] : [piece(` after ${lastFailure}`, 'quiet')]),
  ];
}

function drawBar(fraction: number): Piece[] {
  const filled = Math.round(Math.min(1, Math.max(0, fraction)) * barWidth);
  return [piece('━'.repeat(filled), 'busy'), piece('─'.repeat(barWidth - filled), 'quiet')];
}

/** `212 of 400 steps`, `3.1 of 8.0 MB`. */
export function countOf(unit: string | undefined, done: number, of: number): string {
  if (unit !== 'bytes') return `${formatCount(done)} of ${formatCount(of)}${unit === undefined ? '' : ` ${unit}`}`;
  const [name, size] = byteUnits.find(([, bytes]) => of >= bytes) ?? ['kB', 1e3];
  return `${(done / size).toFixed(1)} of ${(of / size).toFixed(1)} ${name}`;
}

const byteUnits: readonly (readonly [string, number])[] = [
  ['GB', 1e9],
  ['MB', 1e6],
  ['kB', 1e3],
];

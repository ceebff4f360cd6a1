/**
 * A run as lines: a heading, then the nodes as a tree in which each hangs from the deepest of its needs. What works has a bar,
 * its speed, its loss and the time that is left; what waits says for what. Pure: state and time in, lines out.
 */
import type { MissingWorker, NodeView, RunView } from '../../client/index.js';
import { approvalCommand } from '../../config/approval.js';
import { drawDetail } from './draw-node.js';
import { formatDuration } from '../../config/format-duration.js';
import { piece, type Line, type Style } from './line.js';
import { hasEnded, isOver, type Pace, type ShownRun } from './run-view.js';

export interface Canvas {
  readonly nowMs: number;
  /** More lines than this do not fit: nodes that have ended or wait are then counted instead. */
  readonly height: number;
}

interface Row {
  readonly node: NodeView;
  /** The branches before its sign. */
  readonly branch: string;
}

export function drawRun({ view, paces, notice }: ShownRun, { nowMs, height }: Canvas): Line[] {
  const rows = asTree(view.nodes);
  const notices = [...(notice === undefined ? [] : [notice]), ...view.missingWorkers.map(missing), ...approvals(view)];
  const room = Math.max(3, height - 5 - notices.length);
  const shown = rows.length <= room ? rows : mostTelling(rows, room - 1);
  const hidden = rows.filter((row) => !shown.includes(row));
  const widths = {
    label: Math.max(0, ...rows.map(({ node, branch }) => branch.length + node.id.length)) + 2,
    uses: Math.max(0, ...rows.map(({ node }) => node.uses.length)) + 2,
  };
  return [
    heading(view, nowMs),
    [],
    ...(rows.length === 0 ? [[piece(`  ${waitingForPlan(view)}`, 'quiet')]] : []),
    ...shown.map((row) => drawRow(row, widths, paces[row.node.id], nowMs)),
    ...(hidden.length === 0 ? [] : [[piece(`  … and ${hidden.length} more: ${countEnded(hidden)}`, 'quiet')]]),
    [],
    ...notices.map((text) => [piece(`  ${text}`, 'warning')]),
  ];
}

/** The exact commands. */
const approvals = ({ runId, nodes }: RunView): string[] =>
  nodes
    .filter(({ status }) => status === 'awaiting-approval')
    .map(({ id }) => `decide with \`${approvalCommand(runId, id)}\``);

const missing = ({ queue, command }: MissingWorker): string =>
  `no worker serves ${queue}${command === undefined ? '' : `: start one with \`${command}\``}`;

const waitingForPlan = (view: RunView): string =>
  isOver(view) ? 'It ended before its plan was resolved.' : 'The plan is being resolved …';

function heading({ plan, runId, status, startedAtMs, endedAtMs }: RunView, nowMs: number): Line {
  const took = startedAtMs === undefined ? '' : formatDuration((endedAtMs ?? nowMs) - startedAtMs);
  return [
    piece(`  ${plan === '' ? 'nightstill' : plan}`, 'strong'),
    piece(`  run ${runId}  `, 'quiet'),
    ...(status === 'running' ? [] : [piece(`${status}  `, status === 'completed' ? 'good' : 'bad')]),
    piece(took, 'quiet'),
  ];
}

function drawRow(
  { node, branch }: Row,
  widths: { readonly label: number; readonly uses: number },
  pace: Pace | undefined,
  nowMs: number,
): Line {
  const { sign, style } = signOf(node, nowMs);
  return [
    piece(`  ${branch}`, 'quiet'),
    piece(`${sign} `, style),
    piece(node.id.padEnd(widths.label - branch.length), labelStyle(node)),
    piece(node.uses.padEnd(widths.uses), 'quiet'),
    ...drawDetail(node, pace, nowMs),
  ];
}

const labelStyle = (node: NodeView): Style =>
  node.status === 'running' ? 'strong' : hasEnded(node) ? 'plain' : 'quiet';

const spinner = ['◐', '◓', '◑', '◒'];
const spinnerMs = 250;

function signOf({ status }: NodeView, nowMs: number): { readonly sign: string; readonly style: Style } {
  switch (status) {
    case 'done':
    case 'reused':
      return { sign: '✓', style: 'good' };
    case 'failed':
      return { sign: '✗', style: 'bad' };
    case 'cancelled':
    case 'skipped':
      return { sign: '–', style: 'quiet' };
    case 'running':
    case 'looking-up':
      return { sign: spinner[Math.floor(nowMs / spinnerMs) % spinner.length] ?? '◐', style: 'busy' };
    case 'awaiting-approval':
      return { sign: '?', style: 'warning' };
    case 'waiting':
      return { sign: '○', style: 'quiet' };
  }
}

/** Depth first: every node once, below the deepest of its needs. */
function asTree(nodes: readonly NodeView[]): Row[] {
  const depths = new Map<string, number>();
  const depthOf = ({ id, needs }: NodeView): number => {
    const known = depths.get(id);
    if (known !== undefined) return known;
    depths.set(id, 0); // a cycle has no depth
    const depth = Math.max(-1, ...nodes.filter((other) => needs.includes(other.id)).map(depthOf)) + 1;
    depths.set(id, depth);
    return depth;
  };
  const parentOf = (node: NodeView): string | undefined =>
    nodes
      .filter(({ id }) => node.needs.includes(id))
      .reduce<NodeView | undefined>(
        (deepest, next) => (deepest && depthOf(deepest) >= depthOf(next) ? deepest : next),
        undefined,
      )?.id;
  const parents = new Map(nodes.map((node) => [node.id, parentOf(node)]));
  const below = (parent: string | undefined, stem: string): Row[] => {
    const children = nodes.filter(({ id }) => parents.get(id) === parent);
    return children.flatMap((node, index) => {
      const isLast = index === children.length - 1;
      const branch = parent === undefined ? '' : `${stem}${isLast ? '└─ ' : '├─ '}`;
      return [{ node, branch }, ...below(node.id, parent === undefined ? '' : `${stem}${isLast ? '   ' : '│  '}`)];
    });
  };
  return below(undefined, '');
}

/** What works or failed first, then what is next, then what is done last. */
function mostTelling(rows: readonly Row[], room: number): Row[] {
  const rank = ({ node: { status } }: Row): number =>
    status === 'running' || status === 'looking-up' || status === 'awaiting-approval'
      ? 0
      : status === 'failed'
        ? 1
        : status === 'waiting'
          ? 2
          : 3;
  const chosen = new Set([...rows].sort((one, other) => rank(one) - rank(other)).slice(0, room));
  return rows.filter((row) => chosen.has(row));
}

function countEnded(rows: readonly Row[]): string {
  const done = rows.filter(({ node }) => hasEnded(node)).length;
  return `${done} ended, ${rows.length - done} waiting`;
}

/**
 * The live state of a run: answered to the query `state`, and shown as a table in Temporal's UI, with a notice for each queue that
 * nobody serves.
 */
import { defineQuery, defineSignal, setCurrentDetails, setHandler, workflowInfo } from '@temporalio/workflow';
import { approvalCommand, type Approval } from '../config/approval.js';
import { isOpen, type NodeState, type NodeStatus, type Plan, type RunState } from '../config/plan.js';
import { workerCommand } from '../config/queues.js';
import { stateQueryName, unservedQueuesSignalName } from '../config/run-messages.js';
import { watchQueues } from './watch-queues.js';

const stateQuery = defineQuery<RunState>(stateQueryName);
const unservedQueues = defineSignal<[queues?: unknown]>(unservedQueuesSignalName);

export type NodeNotes = Pick<NodeState, 'why' | 'unchanged'>;
type Shown = NodeNotes & { readonly status: NodeStatus };

/** Characters of a failure that a cell of the table shows; the failure of the run has all of them. */
const longestCell = 160;

export class RunBoard {
  #plan: Plan | undefined;
  readonly #shown = new Map<string, Shown>();
  readonly #approvals = new Map<string, Approval>();
  #unserved: readonly string[] = [];
  #isWatched = false;

  constructor() {
    setHandler(stateQuery, () => this.state);
    setHandler(unservedQueues, (queues) => {
      // Anybody may send it: what cannot be shown would fail the Workflow Task for ever.
      this.#unserved = Array.isArray(queues) ? queues.filter((queue) => typeof queue === 'string') : [];
      this.#publish();
    });
  }

  /** Of a plan that was resolved again, nothing is shown that the first one had come to. */
  show(plan: Plan): void {
    this.#plan = plan;
    this.#shown.clear();
    this.#approvals.clear();
    this.#publish();
  }

  set(id: string, status: NodeStatus, notes: NodeNotes = {}): void {
    this.#shown.set(id, { status, ...notes });
    // A run that finds everything recorded needs nobody.
    if (status === 'running' && !this.#isWatched) {
      this.#isWatched = true;
      watchQueues(this.#plan?.nodes ?? []);
    }
    this.#publish();
  }

  /** A person is asked, or has decided. */
  asks(approval: Approval): void {
    this.#approvals.set(approval.node, approval);
    if (approval.decision) this.#publish();
    else this.set(approval.node, 'awaiting-approval');
  }

  get state(): RunState {
    const nodes = (this.#plan?.nodes ?? []).map(({ id, uses, needs, queue }): NodeState => {
      const shown: Shown = this.#shown.get(id) ?? { status: 'waiting' };
      const approval = this.#approvals.get(id);
      return { id, uses, needs, queue, ...shown, ...(approval && { approval }) };
    });
    return { plan: this.#plan?.name ?? '', nodes, unserved: this.#unserved };
  }

  #publish(): void {
    const { nodes } = this.state;
    const needed = new Set(nodes.filter(({ status }) => isOpen(status)).map(({ queue }) => queue));
    const waiting = nodes.flatMap(({ status, approval }) =>
      status === 'awaiting-approval' && approval ? [approval] : [],
    );
    const notices = [
      ...this.#unserved.filter((queue) => needed.has(queue)).map(unservedNotice),
      ...waiting.map(approvalNotice),
    ].map((text) => `**${text}**\n`);
    const rows = nodes.map(({ id, uses, status, why = '' }) => `| ${id} | ${uses} | ${status} | ${cell(why)} |`);
    setCurrentDetails([...notices, '| node | stage | status | why |', '|---|---|---|---|', ...rows].join('\n'));
  }
}

const approvalNotice = ({ node, candidate, untilMs }: Approval): string =>
  `${node} waits for approval of ${candidate} until ${new Date(untilMs).toISOString()}: ` +
  `\`${approvalCommand(workflowInfo().workflowId, node)}\``;

function unservedNotice(queue: string): string {
  const command = workerCommand(queue);
  return `no worker serves ${queue}${command === undefined ? '' : `; start one: ${command}`}`;
}

function cell(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').replaceAll('|', '\\|');
  return line.length > longestCell ? `${line.slice(0, longestCell)}…` : line;
}

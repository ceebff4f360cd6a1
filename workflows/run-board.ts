/**
 * The live state of a run: answered to the query `state`, and shown as a table in Temporal's UI. A signal from the worker clears the
 * "no worker" notice; it is sent only where the notice was shown, to save history events.
 */
import { defineQuery, defineSignal, setCurrentDetails, setHandler, workflowInfo } from '@temporalio/workflow';
import { approvalCommand, type Approval } from '../config/approval.js';
import type { NodeState, NodeStatus, Plan, RunState } from '../config/plan.js';
import { workerCommand } from '../config/queues.js';
import { stageStartedSignalName, stateQueryName } from '../config/run-messages.js';

const stateQuery = defineQuery<RunState>(stateQueryName);
const stageStarted = defineSignal<[node: string]>(stageStartedSignalName);

export type NodeNotes = Pick<NodeState, 'why' | 'unpolled' | 'unchanged'>;
type Shown = NodeNotes & { readonly status: NodeStatus };

/** Characters of a failure that a cell of the table shows; the failure of the run has all of them. */
const longestCell = 160;

export class RunBoard {
  #plan: Plan | undefined;
  readonly #shown = new Map<string, Shown>();
  readonly #approvals = new Map<string, Approval>();

  constructor() {
    setHandler(stateQuery, () => this.state);
    setHandler(stageStarted, (node) => this.#heard(node));
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
    this.#publish();
  }

  /** A person is asked, or has decided. */
  asks(approval: Approval): void {
    this.#approvals.set(approval.node, approval);
    if (approval.decision) this.#publish();
    else this.set(approval.node, 'awaiting-approval');
  }

  get state(): RunState {
    const nodes = (this.#plan?.nodes ?? []).map(({ id, uses, needs, queue }): NodeState => ({
      id,
      uses,
      needs,
      queue,
      status: 'waiting',
      ...this.#shown.get(id),
      ...approvalOf(this.#approvals.get(id)),
    }));
    return { plan: this.#plan?.name ?? '', nodes };
  }

  #heard(id: string): void {
    const shown = this.#shown.get(id);
    if (shown?.unpolled) this.set(id, shown.status, shown.why === undefined ? {} : { why: shown.why });
  }

  #publish(): void {
    const { nodes } = this.state;
    const queues = new Set(nodes.filter(({ unpolled }) => unpolled).map(({ queue }) => queue));
    const waiting = nodes.flatMap(({ status, approval }) =>
      status === 'awaiting-approval' && approval ? [approval] : [],
    );
    const notices = [...[...queues].map(unpolledNotice), ...waiting.map(approvalNotice)].map((text) => `**${text}**\n`);
    const rows = nodes.map(({ id, uses, status, why = '' }) => `| ${id} | ${uses} | ${status} | ${cell(why)} |`);
    setCurrentDetails([...notices, '| node | stage | status | why |', '|---|---|---|---|', ...rows].join('\n'));
  }
}

const approvalOf = (approval: Approval | undefined) => (approval ? { approval } : {});

const approvalNotice = ({ node, candidate, untilMs }: Approval): string =>
  `${node} waits for approval of ${candidate} until ${new Date(untilMs).toISOString()}: ` +
  `\`${approvalCommand(workflowInfo().workflowId, node)}\``;

function unpolledNotice(queue: string): string {
  const command = workerCommand(queue);
  return `no worker polls ${queue}${command === undefined ? '' : `; start one: ${command}`}`;
}

function cell(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').replaceAll('|', '\\|');
  return line.length > longestCell ? `${line.slice(0, longestCell)}…` : line;
}

/**
 * The live state of a run: answered to the query `state`, and shown as a table in Temporal's UI. It hears when a worker takes
 * a stage that nobody was there for; that costs events only where the run had to say so.
 */
import { defineQuery, defineSignal, setCurrentDetails, setHandler } from '@temporalio/workflow';
import type { NodeState, NodeStatus, Plan, RunState } from '../config/plan.js';
import { workerCommand } from '../config/queues.js';
import { stageStartedSignalName, stateQueryName } from '../config/run-messages.js';

const stateQuery = defineQuery<RunState>(stateQueryName);
const stageStarted = defineSignal<[node: string]>(stageStartedSignalName);

export type NodeNotes = Pick<NodeState, 'why' | 'unpolled' | 'unchanged'>;
type Shown = NodeNotes & { readonly status: NodeStatus };

/** A cell of the table holds this much of a failure; the run's end holds all of it. */
const longestCell = 160;

export class RunBoard {
  #plan: Plan | undefined;
  readonly #shown = new Map<string, Shown>();

  constructor() {
    setHandler(stateQuery, () => this.state);
    setHandler(stageStarted, (node) => this.#heard(node));
  }

  /** Of a plan that is followed anew, nothing is said that the time before had found. */
  show(plan: Plan): void {
    this.#plan = plan;
    this.#shown.clear();
    this.#publish();
  }

  set(id: string, status: NodeStatus, notes: NodeNotes = {}): void {
    this.#shown.set(id, { status, ...notes });
    this.#publish();
  }

  get state(): RunState {
    const nodes = (this.#plan?.nodes ?? []).map(({ id, uses, needs, queue }): NodeState => ({
      id,
      uses,
      needs,
      queue,
      status: 'waiting',
      ...this.#shown.get(id),
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
    const notices = [...queues].map((queue) => `**${unpolledNotice(queue)}**\n`);
    const rows = nodes.map(({ id, uses, status, why = '' }) => `| ${id} | ${uses} | ${status} | ${cell(why)} |`);
    setCurrentDetails([...notices, '| node | stage | status | why |', '|---|---|---|---|', ...rows].join('\n'));
  }
}

function unpolledNotice(queue: string): string {
  const command = workerCommand(queue);
  return `no worker polls ${queue}${command === undefined ? '' : `; start one: ${command}`}`;
}

function cell(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ').replaceAll('|', '\\|');
  return line.length > longestCell ? `${line.slice(0, longestCell)}…` : line;
}

/** The live state of a run: answered to the query `state`, and shown as a table in Temporal's UI. */
import { defineQuery, setCurrentDetails, setHandler } from '@temporalio/workflow';
import type { NodeStatus, PlanNode, RunState } from '../config/plan.js';

const stateQuery = defineQuery<RunState>('state');

export class RunBoard {
  #nodes: readonly PlanNode[] = [];
  readonly #status = new Map<string, NodeStatus>();

  constructor() {
    setHandler(stateQuery, () => this.#state());
  }

  show(nodes: readonly PlanNode[]): void {
    this.#nodes = nodes;
    this.#publish();
  }

  set(id: string, status: NodeStatus): void {
    this.#status.set(id, status);
    this.#publish();
  }

  #state(): RunState {
    return { nodes: this.#nodes.map(({ id, uses }) => ({ id, uses, status: this.#status.get(id) ?? 'waiting' })) };
  }

  #publish(): void {
    const rows = this.#state().nodes.map(({ id, uses, status }) => `| ${id} | ${uses} | ${status} |`);
    setCurrentDetails(['| node | stage | status |', '|---|---|---|', ...rows].join('\n'));
  }
}

/** The live state of a run: answered to the query `state`, and shown as a table in Temporal's UI. */
import { defineQuery, setCurrentDetails, setHandler } from '@temporalio/workflow';
import type { NodeState, NodeStatus, Plan, RunState } from '../config/plan.js';

const stateQuery = defineQuery<RunState>('state');

export type NodeNotes = Pick<NodeState, 'why' | 'unpolled'>;

export class RunBoard {
  #plan: Plan | undefined;
  readonly #states = new Map<string, NodeNotes & { readonly status: NodeStatus }>();

  constructor() {
    setHandler(stateQuery, () => this.state);
  }

  show(plan: Plan): void {
    this.#plan = plan;
    this.#publish();
  }

  set(id: string, status: NodeStatus, notes: NodeNotes = {}): void {
    this.#states.set(id, { status, ...notes });
    this.#publish();
  }

  get state(): RunState {
    const nodes = (this.#plan?.nodes ?? []).map(({ id, uses, needs, queue }): NodeState => ({
      id,
      uses,
      needs,
      queue,
      status: 'waiting',
      ...this.#states.get(id),
    }));
    return { plan: this.#plan?.name ?? '', nodes };
  }

  #publish(): void {
    const rows = this.state.nodes.map(({ id, uses, status, why = '' }) => `| ${id} | ${uses} | ${status} | ${why} |`);
    setCurrentDetails(['| node | stage | status | why |', '|---|---|---|---|', ...rows].join('\n'));
  }
}

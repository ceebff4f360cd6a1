/** A run that was started, by this process or any other: its result, its live state, its end. */
import type { Client, WorkflowHandle } from '@temporalio/client';
import type { RunResult, RunState } from '../config/plan.js';
import { asRunError } from './run-error.js';

export class RunHandle {
  readonly #handle: WorkflowHandle<() => Promise<RunResult>>;

  constructor(
    readonly client: Client,
    readonly runId: string,
  ) {
    this.#handle = client.workflow.getHandle<() => Promise<RunResult>>(runId);
  }

  /**
   * Waits for the end of the run.
   * @throws the code that the run failed with, run-cancelled, run-terminated, `unexpected` for an end that has no code,
   *   run-missing, temporal-unavailable
   */
  result(): Promise<RunResult> {
    return this.#coded(this.#handle.result());
  }

  /**
   * Needs a live orchestrator worker.
   * @throws run-missing, temporal-unavailable
   */
  state(): Promise<RunState> {
    return this.#coded(this.#handle.query<RunState>('state'));
  }

  /**
   * Asks the run to end; its stages make their work durable first. Whoever waits for `result` sees `run-cancelled`.
   * @throws run-missing, temporal-unavailable
   */
  async cancel(): Promise<void> {
    await this.#coded(this.#handle.cancel());
  }

  async #coded<Value>(answer: Promise<Value>): Promise<Value> {
    try {
      return await answer;
    } catch (error) {
      throw asRunError(this.runId, error);
    }
  }
}

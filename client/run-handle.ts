/** A run that was started, by this process or any other: its result, its live state, its end. */
import { WorkflowFailedError, type Client, type WorkflowHandle } from '@temporalio/client';
import { TerminatedFailure } from '@temporalio/common';
import type { RunResult, RunState } from '../config/plan.js';
import { stateQueryName } from '../config/run-messages.js';
import { describeRun, runStatusOf } from './description.js';
import { nightOf, untilBegun } from './night-of-run.js';
import { asQueryError } from './query-error.js';
import { asAnswerError } from './run-error.js';

export class RunHandle {
  readonly #handle: WorkflowHandle<() => Promise<RunResult>>;

  constructor(
    readonly client: Client,
    readonly runId: string,
  ) {
    this.#handle = client.workflow.getHandle<() => Promise<RunResult>>(runId);
  }

  /**
   * Waits for the end of the run, also across a reset; where a night is to begin it, also for its beginning.
   * @throws the code that the run failed with, run-cancelled, run-terminated, `unexpected` for an end that has no code,
   *   run-missing, run-unreadable, temporal-unavailable, temporal-refused
   */
  async result(): Promise<RunResult> {
    return this.#coded(
      this.#end().catch(async (error: unknown) => {
        await untilBegun(this, error);
        return this.#end();
      }),
    );
  }

  /** A reset terminates the execution that is waited for, and the run goes on as another one. */
  async #end(): Promise<RunResult> {
    for (;;)
      try {
        return await this.#handle.result();
      } catch (error) {
        const isTerminated = error instanceof WorkflowFailedError && error.cause instanceof TerminatedFailure;
        if (!isTerminated || (await this.#newestStatus()) === 'terminated') throw error;
      }
  }

  async #newestStatus(): Promise<string> {
    return runStatusOf((await describeRun(this.client, this.runId)).workflowExecutionInfo?.status);
  }

  /**
   * Needs a live orchestrator worker.
   * @throws run-unanswered, run-missing, run-unreadable, temporal-unavailable, temporal-refused
   */
  async state(): Promise<RunState> {
    try {
      return await this.#handle.query<RunState>(stateQueryName);
    } catch (error) {
      throw await asQueryError(this, error);
    }
  }

  /**
   * Asks the run to end; its stages make their work durable first. Whoever waits for `result` sees `run-cancelled`. Of a run that its night
   * has not begun yet, the night is cancelled.
   * @throws run-missing, temporal-unavailable, temporal-refused
   */
  async cancel(): Promise<void> {
    await this.#coded(
      this.#handle.cancel().catch(async (error: unknown) => {
        const { night, run } = await nightOf(this, error);
        if (run === 'over') throw error;
        return this.client.workflow.getHandle(run === 'begun' ? this.runId : night).cancel();
      }),
    );
  }

  async #coded<Value>(answer: Promise<Value>): Promise<Value> {
    try {
      return await answer;
    } catch (error) {
      throw asAnswerError(this.runId, error);
    }
  }
}

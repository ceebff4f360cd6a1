/** A run that was started, by this process or any other: its result, its live state, its end. */
import { WorkflowFailedError, type Client, type WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure } from '@temporalio/common';
import { NightstillError } from '../config/errors.js';
import { isFailureCode } from '../config/failures.js';
import type { RunResult, RunState } from '../config/plan.js';

export class RunHandle {
  readonly #handle: WorkflowHandle<() => Promise<RunResult>>;

  constructor(
    client: Client,
    readonly runId: string,
  ) {
    this.#handle = client.workflow.getHandle<() => Promise<RunResult>>(runId);
  }

  /**
   * Waits for the end of the run.
   * @throws the code that the run failed with, run-cancelled, or `unexpected` for an end that has no code
   */
  async result(): Promise<RunResult> {
    try {
      return await this.#handle.result();
    } catch (error) {
      throw asRunError(this.runId, error);
    }
  }

  /** Needs a live orchestrator worker. */
  state(): Promise<RunState> {
    return this.#handle.query<RunState>('state');
  }

  /** Asks the run to end; its stages make their work durable first. Whoever waits for `result` sees `run-cancelled`. */
  async cancel(): Promise<void> {
    await this.#handle.cancel();
  }
}

function asRunError(runId: string, error: unknown): unknown {
  if (!(error instanceof WorkflowFailedError)) return error;
  const { cause } = error;
  if (cause instanceof CancelledFailure)
    return new NightstillError('run-cancelled', `run ${runId}: cancelled`, { cause });
  const code = cause instanceof ApplicationFailure ? cause.type : undefined;
  const known = typeof code === 'string' && isFailureCode(code) ? code : 'unexpected';
  return new NightstillError(known, `run ${runId}: ${cause?.message ?? error.message}`, { cause });
}

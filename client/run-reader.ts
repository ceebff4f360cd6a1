/**
 * Looks at a run from outside, again and again: by Temporal's description, by its history as far as that has grown, and by who
 * serves the queues that it needs. No worker is asked, so it sees as much of a run that nobody works on, or that is over. A run
 * that was reset or started again goes on under its id: the newest execution is looked at.
 */
import type { Client } from '@temporalio/client';
import { NightstillError } from '../config/errors.js';
import { activityView } from './activity-views.js';
import { describeRun, runStatusOf, type Description } from './description.js';
import { MissingWorkers } from './missing-workers.js';
import { nightOf } from './night-of-run.js';
import { nodeViews } from './node-views.js';
import { pagesOf } from './pages.js';
import { PayloadReader } from './payloads.js';
import { asRunError } from './run-error.js';
import { RunHistory, type HistoryEvent } from './run-history.js';
import type { ActivityView, RunView } from './run-view.js';

/** Where a run is found. A `RunHandle` is one. */
export interface RunReference {
  readonly client: Client;
  readonly runId: string;
}

/** How long one question may take: a server that went away is noticed, and asked again. */
const answerMs = 5000;

export class RunReader {
  readonly #client: Client;
  readonly #runId: string;
  readonly #payloads: PayloadReader;
  readonly #missing: MissingWorkers;
  #execution = '';
  #history: RunHistory;

  constructor({ client, runId }: RunReference) {
    this.#client = client;
    this.#runId = runId;
    this.#payloads = new PayloadReader(client, runId);
    this.#history = new RunHistory(this.#payloads);
    this.#missing = new MissingWorkers(client);
  }

  /** Of the last look: whether a worker is missing may be another soon, though nothing happens. */
  get doubtsWorkers(): boolean {
    return this.#missing.inDoubt;
  }

  /** As far as it was read. */
  get history(): RunHistory {
    return this.#history;
  }

  /**
   * How the run stands now. One that its night is still to begin has no nodes yet.
   * @throws run-missing, run-unreadable, temporal-unavailable, temporal-refused
   */
  async look(): Promise<RunView> {
    try {
      return await this.#client.withDeadline(Date.now() + answerMs, () =>
        this.#look().catch((error: unknown) => this.#lookAtNight(error)),
      );
    } catch (error) {
      throw asRunError(this.#runId, error);
    }
  }

  async #look(): Promise<RunView> {
    const { workflowExecutionInfo: info, pendingActivities } = await describeRun(this.#client, this.#runId);
    this.#refuseOthers(info);
    const execution = info?.execution?.runId ?? '';
    if (execution !== this.#execution) this.#history = new RunHistory(this.#payloads);
    this.#execution = execution;
    if (this.#history.length < Number(info?.historyLength)) await this.#history.add(await this.#newEvents());
    const { end, plan, startedAtMs } = this.#history;
    // Of a closed workflow the server goes on listing what was pending.
    const pending = await this.#viewsOf(end ? [] : pendingActivities);
    const nodes = nodeViews(this.#history, pending);
    const status = end?.status ?? runStatusOf(info?.status);
    return {
      runId: this.#runId,
      plan: plan?.plan.name ?? '',
      status,
      ...(startedAtMs !== undefined && { startedAtMs }),
      ...(end && { endedAtMs: end.atMs }),
      nodes,
      ...(end?.failure && { failure: end.failure }),
      missingWorkers: status === 'running' ? await this.#missing.of(info?.taskQueue ?? '', nodes) : [],
    };
  }

  async #lookAtNight(missing: unknown): Promise<RunView> {
    const { run, queue, startedAtMs, end } = await nightOf({ client: this.#client, runId: this.#runId }, missing);
    if (run === 'begun') return this.#look();
    const status = end?.status ?? 'running';
    return {
      runId: this.#runId,
      plan: '',
      status,
      startedAtMs,
      ...(end && { endedAtMs: end.atMs }),
      nodes: [],
      ...(end?.failure && { failure: end.failure }),
      missingWorkers: status === 'running' ? await this.#missing.of(queue, []) : [],
    };
  }

  #refuseOthers(info: Description['workflowExecutionInfo']): void {
    if (info?.type?.name === 'distill') return;
    throw new NightstillError('run-missing', `run ${this.#runId}: expected a run, found a workflow of somebody else`, {
      details: { runId: this.#runId },
    });
  }

  /** Newest first, until one that is known. */
  async #newEvents(): Promise<HistoryEvent[]> {
    const events: HistoryEvent[] = [];
    const execution = { workflowId: this.#runId, runId: this.#execution };
    const { namespace } = this.#client.options;
    const { workflowService } = this.#client;
    const pages = pagesOf((nextPageToken) =>
      workflowService.getWorkflowExecutionHistoryReverse({ namespace, execution, nextPageToken }),
    );
    for await (const { history } of pages) {
      events.push(...(history?.events ?? []).filter(({ eventId }) => Number(eventId) > this.#history.length));
      if (Number(events.at(-1)?.eventId) === this.#history.length + 1) break;
    }
    return events.reverse();
  }

  async #viewsOf(pending: Description['pendingActivities']): Promise<Map<string, ActivityView>> {
    const views = (pending ?? []).map(
      async (activity) => [activity.activityId ?? '', await activityView(activity, this.#payloads)] as const,
    );
    return new Map(await Promise.all(views));
  }
}

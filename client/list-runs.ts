/**
 * The runs of a namespace. Read from Temporal's list as it is on the wire: a namespace may be shared with projects whose payloads this
 * client cannot read, and what it cannot read of a run is left out.
 */
import type { Client } from '@temporalio/client';
import { hasCode } from '../config/errors.js';
import { runStatusOf } from './description.js';
import { pagesOf } from './pages.js';
import { PayloadReader } from './payloads.js';
import { asTemporalError } from './run-error.js';
import type { RunViewStatus } from './run-view.js';
import { millisecondsOf } from './timestamps.js';

export interface ListedRun {
  readonly runId: string;
  readonly status: RunViewStatus;
  readonly startedAtMs: number;
  readonly endedAtMs?: number;
  /** Of the plan file that it was started with; absent where this client cannot read it, and where nobody has said it. */
  readonly planDigest?: string;
}

export interface ListRunsRequest {
  readonly client: Client;
  /** Only those that go on; default all that Temporal keeps. */
  readonly onlyRunning?: boolean;
}

/** Newest first, as Temporal finds them: a run that was just started may not be among them yet. @throws temporal-unavailable, temporal-refused */
export async function* listRuns({ client, onlyRunning = false }: ListRunsRequest): AsyncGenerator<ListedRun, void> {
  const query = `WorkflowType = 'distill'${onlyRunning ? ` AND ExecutionStatus = 'Running'` : ''}`;
  for await (const { executions } of pagesOf((token) => listPage(client, query, token)))
    for (const execution of executions) yield await listedRun(client, execution);
}

async function listPage(client: Client, query: string, nextPageToken: Uint8Array) {
  const { namespace } = client.options;
  try {
    return await client.workflowService.listWorkflowExecutions({ namespace, query, nextPageToken });
  } catch (error) {
    throw asTemporalError('runs', error) ?? error;
  }
}

type Execution = Awaited<ReturnType<typeof listPage>>['executions'][number];

async function listedRun(client: Client, { execution, status, startTime, closeTime, memo }: Execution) {
  const runId = execution?.workflowId ?? '';
  const endedAtMs = millisecondsOf(closeTime);
  const digest = memo?.fields?.['planDigest'];
  const planDigest = digest && (await readable(new PayloadReader(client, runId).value([digest])));
  return {
    runId,
    status: runStatusOf(status),
    startedAtMs: millisecondsOf(startTime) ?? 0,
    ...(endedAtMs !== undefined && { endedAtMs }),
    ...(typeof planDigest === 'string' && { planDigest }),
  };
}

async function readable(read: Promise<unknown>): Promise<unknown> {
  try {
    return await read;
  } catch (error) {
    if (!hasCode(error, 'run-unreadable')) throw error;
    return undefined;
  }
}

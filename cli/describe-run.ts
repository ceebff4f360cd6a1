/** Runs as `nightstill status` shows them: a list of the newest, or one with its nodes and what it made. */
import {
  listRuns,
  RunHandle,
  status,
  type ListedRun,
  type RunResult,
  type RunView,
  type StatusRequest,
} from '../client/index.js';
import type { Variables } from '../config/environment.js';
import { hasCode } from '../config/errors.js';
import { drawTable } from '../tools/setup.js';
import type { OpenClient } from './connect.js';
import { describeResult } from './summary.js';
import { drawRun } from './view/draw-run.js';
import { formatDuration } from '../config/format-duration.js';
import { paint } from './view/line.js';
import { takesColours } from './view/screen.js';

const newest = 20;
const answerMs = 10_000;

/** A run as JSON shows it. */
interface RunLine {
  readonly run: string;
  readonly status: string;
  readonly startedAt: string;
  readonly endedAt?: string;
}

export async function describeRuns({ client, address }: OpenClient, json: boolean): Promise<string> {
  const runs: RunLine[] = [];
  await client.withDeadline(Date.now() + answerMs, async () => {
    for await (const run of listRuns({ client })) {
      runs.push(lineOf(run));
      if (runs.length === newest) break;
    }
  });
  if (json) return JSON.stringify(runs);
  if (runs.length === 0) return `no runs at ${address}; start one with: nightstill run <plan>`;
  const rows = runs.map((line) => [
    line.run,
    line.status,
    line.startedAt.slice(0, 19).replace('T', ' '),
    line.endedAt === undefined ? '' : formatDuration(Date.parse(line.endedAt) - Date.parse(line.startedAt)),
  ]);
  return drawTable(['run', 'status', 'started (UTC)', 'took'], rows);
}

function lineOf({ runId, status: state, startedAtMs, endedAtMs }: ListedRun): RunLine {
  return {
    run: runId,
    status: state,
    startedAt: new Date(startedAtMs).toISOString(),
    ...(endedAtMs !== undefined && { endedAt: new Date(endedAtMs).toISOString() }),
  };
}

export async function describeRun(request: StatusRequest, json: boolean, variables: Variables): Promise<string> {
  const view = await status(request);
  if (json) return JSON.stringify(view);
  const { stdout } = process;
  const width = stdout.isTTY ? stdout.columns : Infinity;
  const lines = drawRun({ view, paces: {} }, { nowMs: Date.now(), height: Infinity });
  const drawn = lines.map((line) => paint(line, width, takesColours(stdout, variables))).join('\n');
  return `\n${drawn}\n${await endOf(view, request)}`;
}

async function endOf(view: RunView, { client, runId }: StatusRequest): Promise<string> {
  if (view.failure) return `  ${view.failure.code}: ${view.failure.message}\n`;
  const result = view.status === 'completed' ? await resultOf(new RunHandle(client, runId)) : undefined;
  return result ? `${describeResult(result, view)}\n` : '';
}

/** What Temporal has forgotten is not told. */
async function resultOf(handle: RunHandle): Promise<RunResult | undefined> {
  try {
    return await handle.client.withDeadline(Date.now() + answerMs, () => handle.result());
  } catch (error) {
    if (hasCode(error, 'run-missing', 'temporal-unavailable')) return undefined;
    throw error;
  }
}

/** Logs as lines: of processes from their files, of runs from Temporal's history. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { runLog, status, type RunLogEntry, type RunReference } from '../client/index.js';
import { sayDecision } from '../config/approval.js';
import { NightstillError } from '../config/errors.js';
import { checkNode } from '../config/known-node.js';
import { StateDirectory } from './dev/state-directory.js';

/** The last lines of a process of this directory, under its name. */
export async function tailOf(name: string, count: number): Promise<string> {
  const path = join(new StateDirectory(process.cwd()).logs, `${name}.log`);
  try {
    const lines = (await readFile(path, 'utf8')).trimEnd().split('\n').slice(-count);
    return `── ${name}\n${lines.join('\n')}\n\n`;
  } catch (cause) {
    throw new NightstillError('logs-missing', `expected the log ${path}, found none`, { cause });
  }
}

/** @throws node-missing */
export async function* entriesOf(
  run: RunReference,
  { node, json }: { readonly node: string | undefined; readonly json: boolean },
): AsyncGenerator<string> {
  if (node !== undefined) {
    const { nodes } = await status(run);
    checkNode(run.runId, node, nodes);
  }
  for (const entry of await runLog(run)) {
    if (node !== undefined && !('node' in entry && entry.node === node)) continue;
    if (json) yield JSON.stringify(entry);
    else if (isTelling(entry)) yield `${timeOf(entry.atMs)}  ${sentenceOf(entry)}`;
  }
}

/** Lookups, and what is found to ask, are told where they fail. */
const isTelling = (entry: RunLogEntry): boolean =>
  !('part' in entry) || entry.part === 'stage' || ('failure' in entry && entry.failure !== undefined);

const timeOf = (atMs: number): string => new Date(atMs).toISOString().slice(0, 19).replace('T', ' ');

function sentenceOf(entry: RunLogEntry): string {
  switch (entry.type) {
    case 'run-started':
      return 'run started';
    case 'run-ended':
      return `run ${entry.status}${failureOf(entry.failure)}`;
    case 'scheduled':
      return `${entry.node}: waits at ${entry.queue}`;
    case 'started':
      return `${entry.node}: attempt ${entry.attempt} on ${entry.worker}${failureOf(entry.previousFailure, 'after ')}`;
    case 'asked':
      return `${entry.node}: waits for a decision until ${timeOf(entry.untilMs)}`;
    case 'decided':
      return `${entry.node}: ${sayDecision(entry.decision)}`;
    case 'waiting':
      return `${entry.node}: attempt ${entry.attempt} waits${failureOf(entry.previousFailure, 'after ')}`;
    case 'completed':
    case 'failed':
    case 'timed-out':
    case 'cancelled':
      return `${entry.node}: ${entry.type}${failureOf(entry.failure)}`;
  }
}

/** The first line: what a process printed last is in the JSON. */
const failureOf = (failure: { readonly code: string; readonly message: string } | undefined, before = ''): string =>
  failure === undefined ? '' : `, ${before}${failure.code}: ${failure.message.split('\n')[0]}`;

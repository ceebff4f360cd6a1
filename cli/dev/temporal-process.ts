/** The embedded Temporal server as a process to keep: its database is a file, so that runs outlive it. */
import { execFile } from 'node:child_process';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Connection } from '@temporalio/client';
import type { ProcessToKeep } from './supervised-process.js';
import { isAlive, type StateDirectory } from './state-directory.js';

/** They take away the 50 ms that a hop costs a single-shard server by default, and let activities be paused. */
const dynamicValues = [
  'history.transferProcessorMaxPollRPS=2000',
  'history.timerProcessorMaxPollRPS=2000',
  'history.visibilityProcessorMaxPollRPS=2000',
  'frontend.activityAPIsEnabled=true',
];

const answerMs = 1000;

export interface TemporalPlace {
  /** Absolute path of `temporal`. */
  readonly binary: string;
  readonly port: number;
  readonly userInterfacePort: number;
}

export function temporalProcess(
  state: StateDirectory,
  { binary, port, userInterfacePort }: TemporalPlace,
): Omit<ProcessToKeep, 'onRestart'> {
  const where = ['--ip', '127.0.0.1', '--port', String(port), '--db-filename', state.database];
  return {
    name: 'temporal',
    command: binary,
    arguments: [
      'server',
      'start-dev',
      '--log-level',
      'warn',
      '--ui-port',
      String(userInterfacePort),
      ...where,
      ...dynamicValues.flatMap((value) => ['--dynamic-config-value', value]),
    ],
    environment: process.env,
    logFile: join(state.logs, 'temporal.log'),
    isReady: () => answers(`127.0.0.1:${port}`),
    withChannel: false,
  };
}

/** Does a Temporal server that knows the namespace answer there? */
export async function answers(address: string, namespace = 'default'): Promise<boolean> {
  const connection = Connection.lazy({ address });
  try {
    await connection.withDeadline(Date.now() + answerMs, () =>
      connection.workflowService.describeNamespace({ namespace }),
    );
    return true;
  } catch {
    return false;
  } finally {
    await connection.close();
  }
}

const pidFile = (state: StateDirectory): string => join(state.path, 'temporal.pid');

/** So that a server which outlives a killed `dev` can be ended by the next. */
export const noteServer = (state: StateDirectory, pid: number | undefined): Promise<void> =>
  writeFile(pidFile(state), String(pid ?? ''));

export const forgetServer = (state: StateDirectory): Promise<void> => rm(pidFile(state), { force: true });

const endWithinMs = 10_000;

/** Ends the server of this state directory that was left behind, if there is one: two may not write one database. */
export async function endLeftServer(state: StateDirectory): Promise<void> {
  const pid = Number(await readFile(pidFile(state), 'utf8').catch(() => ''));
  if (!pid || !(await commandLine(pid)).includes(state.database)) return;
  process.kill(pid, 'SIGTERM');
  for (const deadline = Date.now() + endWithinMs; isAlive(pid); await delay(50))
    if (Date.now() > deadline) process.kill(pid, 'SIGKILL');
}

/** A pid may be somebody else's by now: it counts only with the command line of our server. */
async function commandLine(pid: number): Promise<string> {
  try {
    return (await promisify(execFile)('ps', ['-o', 'args=', '-ww', '-p', String(pid)])).stdout;
  } catch {
    return readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  }
}

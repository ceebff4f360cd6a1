/**
 * A process that `dev` keeps alive: it is started again when it dies, later each time, and given up when it dies often before
 * it was ever ready. It has a process group of its own, so that a Ctrl-C of the terminal reaches `dev` alone, which then ends
 * all in order; and a channel whose end tells a worker that `dev` is gone. What it prints goes to a log file.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { NightstillError } from '../../config/errors.js';

export interface ProcessToKeep {
  readonly name: string;
  readonly command: string;
  readonly arguments: readonly string[];
  readonly environment: NodeJS.ProcessEnv;
  readonly logFile: string;
  /** Does it answer, given what it has printed since its start? */
  readonly isReady: (printed: string) => boolean | Promise<boolean>;
  /** With a channel to this process, whose end a worker takes for an order to stop. */
  readonly withChannel: boolean;
  /** It died and is started again. */
  readonly onRestart: (name: string, end: string) => void;
}

const askEveryMs = 50;
const readyWithinMs = 120_000;
const firstRestartMs = 500;
const slowestRestartMs = 30_000;
const shownCharacters = 2000;

export class SupervisedProcess {
  readonly #what: ProcessToKeep;
  #child: ChildProcess | undefined;
  #exited: Promise<string> = Promise.resolve('');
  #logStart = 0;
  #isStopping = false;
  #restarts = 0;

  constructor(what: ProcessToKeep) {
    this.#what = what;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Returns when it is ready; kept alive from then on. @throws dev-start-failed */
  async start(): Promise<void> {
    await this.#spawn();
    await this.#ready();
    void this.#keep();
  }

  /** Asks it, over the channel, for what it has to say, and hears it until it ends. */
  listen(onMessage: (message: unknown) => void): void {
    this.#child?.on('message', onMessage);
    this.#child?.send('listening');
  }

  /** Asks it to end, and waits until it has. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    this.#child?.kill('SIGTERM');
    await this.#exited;
  }

  /** SIGKILL to it and all that it has started in its group. */
  kill(): void {
    this.#isStopping = true;
    if (this.pid === undefined || this.#child?.exitCode !== null) return;
    try {
      process.kill(-this.pid, 'SIGKILL');
    } catch {
      // it is gone
    }
  }

  async #spawn(): Promise<void> {
    const { command, environment, logFile, withChannel } = this.#what;
    const log = openSync(logFile, 'a');
    try {
      this.#logStart = await sizeOf(logFile);
      const child = spawn(command, this.#what.arguments, {
        stdio: withChannel ? ['ignore', log, log, 'ipc'] : ['ignore', log, log],
        env: environment,
        detached: true,
      });
      this.#child = child;
      this.#exited = new Promise((resolve) => {
        child.once('error', (error) => resolve(error.message));
        child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
      });
    } finally {
      closeSync(log);
    }
  }

  async #ready(): Promise<void> {
    const deadline = Date.now() + readyWithinMs;
    let end: string | undefined;
    void this.#exited.then((how) => (end = how));
    while (!(await this.#what.isReady(await this.#printed()))) {
      if (this.#isStopping) return;
      if (end !== undefined || Date.now() > deadline) throw await this.#startError(end);
      await delay(askEveryMs);
    }
  }

  async #startError(end: string | undefined): Promise<NightstillError> {
    const { name, logFile } = this.#what;
    const printed = (await this.#printed()).trim().slice(-shownCharacters);
    const how = end ?? `no answer within ${readyWithinMs / 1000} s`;
    return new NightstillError(
      'dev-start-failed',
      `${name}: expected it to become ready, found ${how}; its log is ${logFile}${printed && `:\n${printed}`}`,
    );
  }

  async #keep(): Promise<void> {
    for (;;) {
      const startedAt = Date.now();
      const end = await this.#exited;
      if (this.#isStopping) return;
      this.#what.onRestart(this.#what.name, end);
      // One that lived for long is started at once; one that dies again and again must not burn the machine.
      this.#restarts = Date.now() - startedAt > slowestRestartMs ? 0 : this.#restarts + 1;
      await delay(Math.min(firstRestartMs * 2 ** this.#restarts, slowestRestartMs));
      if (this.#isStopping) return;
      await this.#spawn();
    }
  }

  /** What it has printed since its last start. */
  async #printed(): Promise<string> {
    const file = await open(this.#what.logFile);
    try {
      const { size } = await file.stat();
      const bytes = Buffer.alloc(Math.max(0, size - this.#logStart));
      await file.read(bytes, 0, bytes.length, this.#logStart);
      return bytes.toString();
    } finally {
      await file.close();
    }
  }
}

async function sizeOf(path: string): Promise<number> {
  const file = await open(path);
  try {
    return (await file.stat()).size;
  } finally {
    await file.close();
  }
}

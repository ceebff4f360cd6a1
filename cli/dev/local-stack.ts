/**
 * Everything that a run needs, on this machine, as child processes: a Temporal server with its user interface, and one worker
 * for each role. It starts in that order and ends in the other; what dies in between is started again.
 */
import { join } from 'node:path';
import type { ChildProgress } from '../../config/child-protocol.js';
import type { Variables } from '../../config/environment.js';
import { NightstillError } from '../../config/errors.js';
import { roles, type Role } from '../../config/queues.js';
import { compiledFile } from './compiled-file.js';
import { freePort } from './free-port.js';
import type { ServingNote, StateDirectory } from './state-directory.js';
import { SupervisedProcess, type ProcessToKeep } from './supervised-process.js';
import { endLeftServer, forgetServer, noteServer, temporalProcess } from './temporal-process.js';

export interface StackRequest {
  readonly state: StateDirectory;
  readonly verb: ServingNote['verb'];
  /** Absolute path of `temporal`. */
  readonly temporalBinary: string;
  readonly queuePrefix: string;
  /** Flags that every worker is given: stages of the user's own, a data converter. */
  readonly workerFlags: readonly string[];
  readonly variables: Variables;
  /** The port that is taken when it is free; default any. */
  readonly port?: number;
  readonly onRestart: ProcessToKeep['onRestart'];
}

/** The user interface listens this much above the server, as with Temporal's own command line. */
export const userInterfaceOffset = 1000;

export class LocalStack {
  readonly #processes: SupervisedProcess[] = [];
  readonly #workers = new Map<Role, SupervisedProcess>();
  /** Whoever leaves in the middle, as while they start, leaves none of them behind. */
  readonly #endAll = (): void => this.#processes.forEach((child) => child.kill());

  private constructor(
    readonly state: StateDirectory,
    readonly note: ServingNote,
  ) {}

  /** @throws dev-running, dev-start-failed */
  static async start(request: StackRequest): Promise<LocalStack> {
    const { state, verb, queuePrefix } = request;
    await state.create();
    const port = await freePort(request.port);
    const userInterfacePort = await freePort(port + userInterfaceOffset);
    const note: ServingNote = {
      pid: process.pid,
      verb,
      address: `127.0.0.1:${port}`,
      userInterface: `http://127.0.0.1:${userInterfacePort}`,
      queuePrefix,
    };
    const other = await state.take(note);
    if (other) throw isServed(state, other);
    const stack = new LocalStack(state, note);
    process.once('exit', stack.#endAll);
    try {
      await stack.#start(request, { port, userInterfacePort });
      return stack;
    } catch (error) {
      await stack.stop();
      throw error;
    }
  }

  async #start(request: StackRequest, ports: { readonly port: number; readonly userInterfacePort: number }) {
    const { state, onRestart, temporalBinary: binary } = request;
    await endLeftServer(state);
    const server = new SupervisedProcess({ ...temporalProcess(state, { binary, ...ports }), onRestart });
    this.#processes.push(server);
    await server.start();
    await noteServer(state, server.pid);
    for (const role of roles)
      this.#workers.set(role, new SupervisedProcess({ ...this.#worker(role, request), onRestart }));
    this.#processes.push(...this.#workers.values());
    await Promise.all([...this.#workers.values()].map((worker) => worker.start()));
  }

  /** What the children of the gpu worker report, as they report it. */
  onChildProgress(listener: (reported: ChildProgress) => void): void {
    this.#workers.get('gpu')?.listen((message) => listener(message as ChildProgress));
  }

  /** Workers first: their stages make their work durable, and tell the server. */
  async stop(): Promise<void> {
    const [server, ...workers] = this.#processes;
    await Promise.all(workers.map((worker) => worker.stop()));
    await server?.stop();
    process.off('exit', this.#endAll);
    await forgetServer(this.state);
    await this.state.leave();
  }

  /** At once: SIGKILL. What was made durable stays. */
  async kill(): Promise<void> {
    this.#endAll();
    process.off('exit', this.#endAll);
    await this.state.leave();
  }

  #worker(role: Role, { state, workerFlags, queuePrefix, variables }: StackRequest): Omit<ProcessToKeep, 'onRestart'> {
    return {
      name: `${role} worker`,
      command: process.execPath,
      arguments: [compiledFile('cli/dev/worker-child.js'), role, '--queue-prefix', queuePrefix, ...workerFlags],
      environment: { ...withoutTemporal(variables), TEMPORAL_ADDRESS: this.note.address },
      logFile: join(state.logs, `${role}.log`),
      isReady: (printed) => printed.includes('worker ready'),
      withChannel: true,
    };
  }
}

/** Settings of another server must not reach workers of this one. */
const withoutTemporal = (variables: Variables): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(variables).filter(([name]) => !name.startsWith('TEMPORAL_')));

const isServed = (state: StateDirectory, { verb, pid, address, userInterface }: ServingNote): NightstillError =>
  new NightstillError(
    'dev-running',
    `${state.path}: expected nobody to serve from it, found \`nightstill ${verb}\` (process ${pid}) at ${address}, ` +
      `user interface ${userInterface}`,
  );

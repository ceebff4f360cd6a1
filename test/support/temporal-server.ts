/**
 * A real Temporal server of the test's own: its database is a file, so that it can be killed and started again with
 * everything it had acknowledged. The dynamic values take away the 50 ms that a hop costs a single-shard server by default.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { freePort } from './free-port.js';
import { endWithUs } from './left-behind.js';
import { temporalBinary } from './servers.js';

const dynamicValues = [
  'history.transferProcessorMaxPollRPS=2000',
  'history.timerProcessorMaxPollRPS=2000',
  'history.visibilityProcessorMaxPollRPS=2000',
  'frontend.activityAPIsEnabled=true',
];

const readyMs = 30_000;

export class TemporalTestServer {
  #process: ChildProcess | undefined;
  #connection: Connection | undefined;

  private constructor(
    readonly binary: string,
    readonly directory: string,
    readonly port: number,
  ) {}

  static async start(): Promise<TemporalTestServer> {
    const directory = await mkdtemp(join(tmpdir(), 'nightstill-temporal-'));
    const server = new TemporalTestServer(await temporalBinary(), directory, await freePort());
    await server.restart();
    return server;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  get pid(): number | undefined {
    return this.#process?.pid;
  }

  /** Starts the server on the port and the database it had before; returns when it answers. */
  async restart(): Promise<void> {
    const values = dynamicValues.flatMap((value) => ['--dynamic-config-value', value]);
    const where = [
      '--ip',
      '127.0.0.1',
      '--port',
      String(this.port),
      '--db-filename',
      join(this.directory, 'temporal.db'),
    ];
    this.#process = spawn(
      this.binary,
      ['server', 'start-dev', '--headless', '--log-level', 'error', ...where, ...values],
      {
        stdio: 'ignore',
      },
    );
    endWithUs(this.#process);
    await this.#answers();
  }

  /** SIGKILL: nothing is flushed. */
  async kill(): Promise<void> {
    const child = this.#process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await exited;
  }

  /** One client for the life of the server; it survives restarts. */
  async client(): Promise<Client> {
    this.#connection ??= await Connection.connect({ address: this.address });
    return new Client({ connection: this.#connection });
  }

  async stop(): Promise<void> {
    await this.#connection?.close();
    await this.kill();
    await rm(this.directory, { recursive: true, force: true });
  }

  async #answers(): Promise<void> {
    const deadline = Date.now() + readyMs;
    for (;;) {
      const connection = Connection.lazy({ address: this.address });
      try {
        await connection.withDeadline(Date.now() + 1000, () =>
          connection.workflowService.describeNamespace({ namespace: 'default' }),
        );
        return;
      } catch (error) {
        if (Date.now() > deadline) throw error;
        await delay(50);
      } finally {
        await connection.close();
      }
    }
  }
}

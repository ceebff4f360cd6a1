/** Processes that run `children/asking-child.ts`, and the teacher that they ask: it counts, and answers every call anew. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AskingKill } from './asking-kill.js';
import { endWithUs } from './left-behind.js';
import { compiledPath } from './processes.js';

export interface AskingTask {
  readonly url: string;
  readonly endpoint: string;
  readonly questions: number;
  /** How many calls are under way at once. */
  readonly lanes: number;
  readonly fence: number;
  /** What a call costs, and at most costs. */
  readonly usd: number;
  readonly capUsd: number;
  readonly point?: AskingKill;
}

/** @returns whether it was killed, and the code that it ended with, if any */
export async function runAsking(
  task: AskingTask,
  environment: Readonly<Record<string, string>>,
): Promise<{ readonly isKilled: boolean; readonly code: string | undefined }> {
  const program = compiledPath('test/support/children/asking-child.js');
  const child = spawn(process.execPath, ['--no-warnings', program, JSON.stringify(task)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...environment },
  });
  endWithUs(child);
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => (said += String(chunk)));
  const [, signal] = await once(child, 'close');
  const code: string | undefined = said === '' ? undefined : JSON.parse(said).code;
  return { isKilled: signal === 'SIGKILL', code };
}

export class CountingTeacher {
  /** Calls by question. */
  readonly asks = new Map<string, number>();
  readonly #server = createServer((request, answer) => {
    const question = request.url ?? '';
    this.asks.set(question, (this.asks.get(question) ?? 0) + 1);
    answer.end(`answer ${this.total}`);
  });

  async start(): Promise<string> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('expected a TCP port');
    return `http://127.0.0.1:${address.port}`;
  }

  get total(): number {
    return [...this.asks.values()].reduce((sum, count) => sum + count, 0);
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

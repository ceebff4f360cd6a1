/** Processes that run `children/answering-child.ts`. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { ArtifactRef, Json } from '../../storage/index.js';
import type { AskingKill } from './asking-kill.js';
import { endWithUs } from './left-behind.js';
import { compiledPath } from './processes.js';

export interface AnsweringTask {
  readonly url: string;
  readonly dataset: ArtifactRef;
  readonly options: object;
  readonly attempt: number;
  readonly point?: AskingKill | undefined;
}

export interface AnsweringEnd {
  readonly isKilled: boolean;
  /** Of the failure, where it failed. */
  readonly code?: string;
  readonly observations?: Json;
}

export interface AnsweringProcess {
  readonly ended: Promise<AnsweringEnd>;
  kill(): void;
}

export function startAnswering(task: AnsweringTask): AnsweringProcess {
  const program = compiledPath('test/support/children/answering-child.js');
  const child = spawn(process.execPath, ['--no-warnings', program, JSON.stringify(task)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  endWithUs(child);
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => (said += String(chunk)));
  const ended = once(child, 'close').then(([, signal]): AnsweringEnd => ({
    isKilled: signal === 'SIGKILL',
    ...(said !== '' && JSON.parse(said)),
  }));
  return { ended, kill: () => void child.kill('SIGKILL') };
}

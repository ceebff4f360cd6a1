/** The teacher behind an endpoint, in a process of its own: `nightstill serve`, with a log that computes each answer once. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { compiledFile } from '../../cli/dev/compiled-file.js';
import { teacherDirectory } from './student.js';

/** As `distill.yaml` says. */
const portOfPlan = 8787;

export interface ServedTeacher {
  /** Its name, address and size. */
  readonly line: string;
  close(): Promise<void>;
}

/** @param replies directory of the log, for the answers of one revision of the teacher */
export async function serveTeacher(replies: string, port = portOfPlan): Promise<ServedTeacher> {
  const flags = ['--name', 'sql-teacher', '--port', String(port), '--slots', '16', '--context', '256'];
  const child = spawn(
    process.execPath,
    [compiledFile('cli/main.js'), 'serve', teacherDirectory, ...flags, '--idempotency-log', replies],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const ended = once(child, 'exit');
  let said = '';
  child.stderr.on('data', (bytes: Buffer) => {
    said = `${said}${bytes.toString()}`.slice(-4000);
  });
  const line = await new Promise<string>((resolve, reject) => {
    child.stdout.on('data', (bytes: Buffer) => resolve(bytes.toString().trim()));
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`expected the teacher to be served at port ${port}, found:\n${said}`)));
  });
  return {
    line,
    close: async () => {
      child.kill('SIGINT');
      await ended;
    },
  };
}

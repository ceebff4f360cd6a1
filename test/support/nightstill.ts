/** The command line as users run it: the compiled program in a process of its own. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Variables } from '../../config/environment.js';
import { packageRoot } from '../../tools/package-root.js';

export interface CommandOutput {
  readonly status: number | null;
  readonly standardOutput: string;
  readonly standardError: string;
}

/** @param variables the whole environment of the process. */
export async function nightstill(words: readonly string[], variables: Variables): Promise<CommandOutput> {
  const program = join(packageRoot(), 'dist', 'cli', 'main.js');
  const child = spawn(process.execPath, [program, ...words], { env: variables, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const [standardOutput, standardError, status] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { status, standardOutput, standardError };
}

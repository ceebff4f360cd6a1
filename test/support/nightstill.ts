/** The command line, and other programs, as users run them: the compiled program in a process of its own, to its end. */
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
export const nightstill = (words: readonly string[], variables: Variables): Promise<CommandOutput> =>
  nodeProgram('cli/main.js', words, variables);

/** @param program within `dist`: `workers/io.js` */
export async function nodeProgram(
  program: string,
  words: readonly string[],
  variables: Variables,
): Promise<CommandOutput> {
  const path = join(packageRoot(), 'dist', program);
  const child = spawn(process.execPath, [path, ...words], { env: variables, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const [standardOutput, standardError, status] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return { status, standardOutput, standardError };
}

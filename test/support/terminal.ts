/** The command line as a user meets it: the compiled program in a directory of its own, ended by signals, watched as it speaks. */
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { CommandOutput } from './nightstill.js';
import { endWithUs } from './left-behind.js';
import { compiledPath, until } from './processes.js';

export interface Running {
  readonly pid: number;
  readonly ended: Promise<CommandOutput>;
  /** What it has printed so far, to both streams. */
  printed(): string;
  /** Waits until it has printed this. */
  says(text: string, limitMs?: number): Promise<void>;
  signal(signal: NodeJS.Signals): void;
}

export class Terminal {
  /** @param variables besides those of this process, without what names a Temporal server */
  constructor(
    readonly directory: string,
    readonly variables: Readonly<Record<string, string>> = {},
  ) {}

  /** Runs a command to its end. */
  run(...words: readonly string[]): Promise<CommandOutput> {
    return this.start(...words).ended;
  }

  start(...words: readonly string[]): Running {
    const own = Object.entries(process.env).filter(([name]) => !/^(TEMPORAL_|NIGHTSTILL_STORE)/.test(name));
    const child = spawn(process.execPath, [compiledPath('cli/main.js'), ...words], {
      cwd: this.directory,
      env: { ...Object.fromEntries(own), ...this.variables },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    endWithUs(child);
    const lines: { readonly text: string; readonly isError: boolean }[] = [];
    for (const stream of [child.stdout, child.stderr])
      createInterface({ input: stream }).on('line', (text) => lines.push({ text, isError: stream === child.stderr }));
    const textOf = (wanted: readonly { readonly text: string }[]): string =>
      wanted.map(({ text }) => `${text}\n`).join('');
    const ended = new Promise<CommandOutput>((resolve) =>
      child.once('close', (status) =>
        resolve({
          status,
          standardOutput: textOf(lines.filter(({ isError }) => !isError)),
          standardError: textOf(lines.filter(({ isError }) => isError)),
        }),
      ),
    );
    const printed = (): string => textOf(lines);
    return {
      pid: child.pid ?? 0,
      ended,
      printed,
      says: async (text, limitMs = 120_000) => {
        await until(
          `"${text}" from nightstill ${words.join(' ')}`,
          () => {
            if (printed().includes(text)) return true;
            if (child.exitCode !== null) throw new Error(`expected "${text}", found its end:\n${printed()}`);
            return false;
          },
          limitMs,
        );
      },
      signal: (signal) => void child.kill(signal),
    };
  }
}

/** What a command said with `--json`, an object a line. */
export const eventsOf = ({ standardOutput }: CommandOutput): Record<string, unknown>[] =>
  standardOutput
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>);

/** The code of the error that a command ended with. */
export const codeOf = ({ standardError }: CommandOutput): string | undefined =>
  /^([a-z]+(?:-[a-z]+)+): /m.exec(standardError)?.[1];

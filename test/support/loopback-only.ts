/** Processes that may connect to this machine alone, and what they tried. */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { packageRoot } from '../../tools/package-root.js';
import { temporaryDirectory } from './temporary.js';

interface Entry {
  /** A program that may. */
  readonly guarded?: string;
  /** A host that one of them was kept from. */
  readonly refused?: string;
}

export class LoopbackOnly {
  readonly #log = join(temporaryDirectory(), 'connections.jsonl');

  /** For a process and those it starts. */
  readonly environment = {
    NODE_OPTIONS: `--require=${join(packageRoot(), 'test/support/refuse-other-machines.cjs')}`,
    LOOPBACK_ONLY_LOG: this.#log,
  };

  /** Programs that ran so, by their paths. */
  get guarded(): readonly string[] {
    return this.#entries.flatMap(({ guarded }) => guarded ?? []);
  }

  /** Hosts that they were kept from. */
  get refused(): readonly string[] {
    return this.#entries.flatMap(({ refused }) => refused ?? []);
  }

  /** Tries an address that is nobody's. @returns the code of what comes of it */
  async leave(): Promise<string> {
    const program = "fetch('http://192.0.2.1/').then(console.log, ({ cause }) => console.log(cause.code))";
    const environment = { ...process.env, ...this.environment };
    const { stdout } = await promisify(execFile)(process.execPath, ['-e', program], { env: environment });
    return stdout.trim();
  }

  get #entries(): readonly Entry[] {
    const lines = existsSync(this.#log) ? readFileSync(this.#log, 'utf8').trimEnd().split('\n') : [];
    return lines.map((line) => JSON.parse(line) as Entry);
  }
}

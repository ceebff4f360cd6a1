/** The source "PATH": a program that the user has installed, when it is recent enough. */
import { captureCommand, findExecutable } from './command.js';
import { refuse, type Source } from './part.js';
import { isAtLeast, readVersion } from './version.js';

export interface WantedExecutable {
  readonly name: string;
  readonly minimum: string;
  /** The word in the output of `--version` after which the version stands. */
  readonly versionAfter: string;
}

export const executableOnPath = ({ name, minimum, versionAfter }: WantedExecutable): Source => ({
  name: 'PATH',
  effort: 'look',
  attempt: async ({ variables }) => {
    const location = await findExecutable(name, variables);
    if (location === undefined) return refuse(`no ${name} on PATH`);
    const { output } = await captureCommand(location, ['--version'], { variables, timeoutMs: 10_000 });
    const version = readVersion(output, versionAfter);
    if (version === undefined) {
      return refuse(`${location} --version names no version after "${versionAfter.trim()}": ${output.split('\n')[0]}`);
    }
    if (!isAtLeast(version, minimum)) return refuse(`${location} is ${version}, expected ${minimum} or newer`);
    return { found: { version, from: 'PATH', kind: 'executable', location } };
  },
});

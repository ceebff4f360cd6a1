/** A set-up that sees only the PATH and the cache it is given, and keeps the lines that it would have printed. */
import { readEnvironment, type Variables } from '../../config/environment.js';
import type { SetupContext } from '../../tools/part.js';

export interface RecordedContext extends SetupContext {
  readonly lines: readonly string[];
}

export function recordedContext(variables: Variables, verify = false): RecordedContext {
  const lines: string[] = [];
  const reporter = {
    line: (text: string) => void lines.push(text),
    step: (label: string) => {
      lines.push(label);
      return { update: () => {}, end: () => {} };
    },
  };
  return { environment: readEnvironment(variables), variables, reporter, verify, lines };
}

/** `nightstill setup`: brings the real parts onto this machine and says where each came from. */
import { parseArgs } from 'node:util';
import { readEnvironment } from '../config/environment.js';
import { parts } from '../tools/parts.js';
import { createReporter } from '../tools/progress.js';
import { describeOutcomes, requireParts, selectParts, setUp } from '../tools/setup.js';
import { exitStatus, type Command } from './command.js';

const partList = parts
  .map(
    ({ name, version, purpose, optional }) =>
      `  ${name.padEnd(16)} ${version.padEnd(8)} ${purpose}${optional ? ' (optional)' : ''}`,
  )
  .join('\n');

export const setupCommand: Command = {
  name: 'setup',
  summary: 'bring the Temporal server, an S3 server for development, and TensorFlow',
  help: `usage: nightstill setup [--verify] [part ...]

Brings the parts named, or all of them, and prints a table. What is there already is used as it is.

${partList}

  --verify   hash what lies in the cache again; what is damaged is made anew

Exit status: 0 everything that is required is there, 1 a part could not be had, 2 no such part.`,
  run: async (arguments_, variables) => {
    const { values, positionals } = parseArgs({
      args: [...arguments_],
      allowPositionals: true,
      options: { verify: { type: 'boolean', default: false } },
    });
    const selected = selectParts(positionals);
    const environment = readEnvironment(variables);
    const reporter = createReporter(process.stderr);
    const outcomes = await setUp(selected, { environment, variables, reporter, verify: values.verify });
    process.stdout.write(`${describeOutcomes(outcomes)}\n`);
    requireParts(outcomes);
    return exitStatus.ok;
  },
};

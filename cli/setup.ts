/** `nightstill setup`: brings the real parts onto this machine and says where each came from. */
import { readEnvironment } from '../config/environment.js';
import { parts } from '../tools/parts.js';
import { createReporter } from '../tools/progress.js';
import { describeOutcomes, requireParts, selectParts, setUp } from '../tools/setup.js';
import { defineCommand, exitStatus } from './command.js';

const partList = parts
  .map(
    ({ name, version, purpose, optional }) =>
      `  ${name.padEnd(16)} ${version.padEnd(8)} ${purpose}${optional ? ' (optional)' : ''}`,
  )
  .join('\n');

export const setupCommand = defineCommand({
  name: 'setup',
  group: 'machines',
  summary: 'bring the Temporal server, an S3 server for development, and TensorFlow',
  about: `Brings the parts named, or all of them, and prints a table. What is there already is used as it is. An optional part that
cannot be had is told, and fails the command only where it is named. TensorFlow takes Python 3 with pip and a C++ compiler,
on Linux (x64, arm64).

${partList}`,
  words: [{ name: 'part', optional: true, repeated: true, offers: parts.map(({ name }) => name) }],
  flags: { verify: { summary: 'hash what lies in the cache again; what is damaged is made anew' } },
  exits: { 0: 'everything that is needed is there', 1: 'a part could not be had', 2: 'no such part' },
  run: async ({ flags, words, variables }) => {
    const selected = selectParts(words);
    const environment = readEnvironment(variables);
    const reporter = createReporter(process.stderr);
    const outcomes = await setUp(selected, { environment, variables, reporter, verify: flags.verify });
    process.stdout.write(`${describeOutcomes(outcomes)}\n`);
    requireParts(outcomes);
    return exitStatus.ok;
  },
});

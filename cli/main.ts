#!/usr/bin/env node
/**
 * The command line: finds the verb, runs it, and turns what it throws into `code: message`, the remedy and an exit status.
 * A stack is shown only when NIGHTSTILL_DEBUG is set.
 */
import { showsStacks } from '../config/environment.js';
import { asNightstillError, isUsageError } from '../config/errors.js';
import { nearest } from '../config/nearest.js';
import { packageVersion } from '../tools/package-version.js';
import { exitStatus, UsageError, type Command } from './command.js';
import { commands } from './commands.js';
import { drawHelp, drawOverview } from './help.js';

async function main(name: string | undefined, rest: readonly string[]): Promise<number> {
  if (name === undefined || name === '--help' || name === '-h') {
    process.stdout.write(`${drawOverview(commands)}\n`);
    return name === undefined ? exitStatus.userFault : exitStatus.ok;
  }
  if (name === '--version') {
    process.stdout.write(`${packageVersion()}\n`);
    return exitStatus.ok;
  }
  const command = commands.find((candidate) => candidate.name === name);
  if (command === undefined) {
    const meant = nearest(
      name,
      commands.map((known) => known.name),
    );
    process.stderr.write(`nightstill: expected a command, found "${name}"${meant}\n\n${drawOverview(commands)}\n`);
    return exitStatus.userFault;
  }
  if (rest.includes('--help') || rest.includes('-h')) {
    process.stdout.write(`${drawHelp(command)}\n`);
    return exitStatus.ok;
  }
  try {
    return await command.run(rest, process.env);
  } catch (thrown) {
    return report(thrown, command);
  }
}

function report(thrown: unknown, command: Command): number {
  if (thrown instanceof UsageError || isUsageError(thrown)) {
    process.stderr.write(`nightstill ${command.name}: ${thrown.message}\n\n${drawHelp(command)}\n`);
    return exitStatus.userFault;
  }
  const error = asNightstillError(thrown);
  process.stderr.write(`${error.code}: ${error.message}\n${error.remedy}\n`);
  if (showsStacks()) process.stderr.write(`${error.stack ?? ''}\n`);
  return error.fault === 'user' ? exitStatus.userFault : exitStatus.systemFault;
}

// A terminal that is closed, or a pipe that nobody reads, ends no process that has something to end in order.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

process.exitCode = await main(process.argv[2], process.argv.slice(3));

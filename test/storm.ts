/**
 * `npm run storm`: the micro plan with every kind of process killed in every stage at every moment that it takes part in, one
 * run a kind of process. Writes what came of it to `test/crash/storm-result.json`, and ends with 1 unless every run came out as
 * an undisturbed one. `npm run storm -- trainer S3` takes only kinds whose name has one of the words, and writes nothing.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { packageRoot } from '../tools/package-root.js';
import { allKills, processKinds, type ProcessKind } from './support/kill-orders.js';
import { describeMachine } from './support/machine.js';
import { drawKills } from './support/storm-table.js';
import { Storm, type Kill, type Undisturbed } from './support/storm.js';

interface KindResult {
  readonly process: ProcessKind;
  readonly seconds: number;
  readonly kills: readonly Kill[];
  readonly inFlight: number;
  /** Digests, counts of records, completions and processes as in the undisturbed run. */
  readonly same: boolean;
  /** Why the run did not come to its end. */
  readonly error?: string;
}

/** One that does not come to its end takes nothing from the others. */
async function killAll(storm: Storm, process: ProcessKind, undisturbed: Undisturbed): Promise<KindResult> {
  const startedAtMs = performance.now();
  try {
    return await runAndKill(storm, process, undisturbed);
  } catch (cause) {
    const error = cause instanceof Error ? cause.message : String(cause);
    print(`${process}: ${error}`);
    storm.calm();
    const seconds = Math.round((performance.now() - startedAtMs) / 1000);
    return { process, seconds, kills: [], inFlight: 0, same: false, error };
  }
}

async function runAndKill(storm: Storm, process: ProcessKind, undisturbed: Undisturbed): Promise<KindResult> {
  const run = await storm.run(`kill-${process.replaceAll(' ', '-')}`, allKills(process), undisturbed);
  const same = isDeepStrictEqual(run.outcome, undisturbed.outcome);
  const inFlight = run.kills.filter((kill) => kill.inFlight).length;
  print(drawKills(run.kills));
  print(`${process}: ${Math.round(run.seconds)} s, ${inFlight} kills in flight, ${same ? 'the same' : 'NOT the same'}`);
  if (!same) print(JSON.stringify(run.outcome, null, 2));
  return { process, seconds: Math.round(run.seconds), kills: run.kills, inFlight, same };
}

async function main(words: readonly string[]): Promise<number> {
  const kinds = processKinds.filter((kind) => words.length === 0 || words.some((word) => kind.includes(word)));
  const storm = await Storm.begin();
  try {
    const undisturbed = await storm.undisturbed();
    print(`undisturbed: ${Math.round(undisturbed.seconds)} s\n${JSON.stringify(undisturbed.outcome, null, 2)}`);
    const results: KindResult[] = [];
    for (const kind of kinds) {
      results.push(await killAll(storm, kind, undisturbed));
      if (words.length === 0) await keep(undisturbed, results);
    }
    return results.every(({ same, inFlight }) => same && inFlight >= 3) ? 0 : 1;
  } finally {
    await storm.end();
  }
}

async function keep({ outcome, seconds }: Undisturbed, results: readonly KindResult[]): Promise<void> {
  const date = new Date().toISOString().slice(0, 10);
  const undisturbed = { seconds: Math.round(seconds), ...outcome };
  const content = { machine: describeMachine(), date, undisturbed, results };
  const path = join(packageRoot(), 'test', 'crash', 'storm-result.json');
  await writeFile(path, `${JSON.stringify(content, null, 2)}\n`);
}

const print = (text: string): void => void process.stdout.write(`${text}\n`);

process.exitCode = await main(process.argv.slice(2));

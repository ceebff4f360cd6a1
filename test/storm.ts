/**
 * `npm run storm`: the micro plan, and then the plan of a night, with every kind of process killed in every stage at every moment that
 * it takes part in, one run a kind of process. Writes what came of it to `test/crash/storm-result.json` and
 * `test/crash/night-storm-result.json`, and ends with 1 unless every run came out as an undisturbed one. `npm run storm -- night
 * teacher` takes only the plans and the kinds whose name has one of the words; of a plan that lacks kinds nothing is written.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { packageRoot } from '../tools/package-root.js';
import type { AskedSummary } from './support/asked-record.js';
import { allKills, kindsIn, type KillOrder, type ProcessKind, type StageLife } from './support/kill-orders.js';
import { describeMachine } from './support/machine.js';
import { microStages, prepareMicroPlan } from './support/micro-plan.js';
import { nightStages, prepareNight } from './support/night-plan.js';
import { faultsIn, runNight } from './support/night-storm.js';
import type { Pipeline, StormPlace } from './support/storm-pipeline.js';
import { drawKills } from './support/storm-table.js';
import { Storm, type Kill, type StormRun, type Undisturbed } from './support/storm.js';

interface KindResult {
  readonly process: ProcessKind;
  readonly seconds: number;
  readonly kills: readonly Kill[];
  readonly inFlight: number;
  /** Digests, counts of records, completions and processes as in the undisturbed run. */
  readonly same: boolean;
  /** What the teacher was asked. */
  readonly asked?: AskedSummary;
  /** Why the run did not come to its end. */
  readonly error?: string;
}

/** A run, and what of it is not as it should be beside its outcome. */
type CheckedRun = StormRun & { readonly faults: readonly string[]; readonly asked?: AskedSummary };

interface StormPlan {
  readonly name: string;
  readonly resultFile: string;
  readonly stages: readonly StageLife[];
  readonly prepare: (place: StormPlace) => Promise<Pipeline>;
  run(storm: Storm, runId: string, orders: readonly KillOrder[], undisturbed: Undisturbed): Promise<CheckedRun>;
}

const plans: readonly StormPlan[] = [
  {
    name: 'micro',
    resultFile: 'storm-result.json',
    stages: microStages,
    prepare: prepareMicroPlan,
    run: async (storm, ...run) => ({ ...(await storm.run(...run)), faults: [] }),
  },
  {
    name: 'night',
    resultFile: 'night-storm-result.json',
    stages: nightStages,
    prepare: prepareNight,
    async run(storm, runId, orders, undisturbed) {
      const night = await runNight(storm, runId, orders, undisturbed);
      return { ...night, faults: faultsIn(night, undisturbed) };
    },
  },
];

/** One that does not come to its end takes nothing from the others. */
async function killAll(
  plan: StormPlan,
  storm: Storm,
  process: ProcessKind,
  undisturbed: Undisturbed,
): Promise<KindResult> {
  const startedAtMs = performance.now();
  try {
    return await runAndKill(plan, storm, process, undisturbed);
  } catch (cause) {
    const error = cause instanceof Error ? cause.message : String(cause);
    print(`${process}: ${error}`);
    storm.calm();
    const seconds = Math.round((performance.now() - startedAtMs) / 1000);
    return { process, seconds, kills: [], inFlight: 0, same: false, error };
  }
}

async function runAndKill(
  plan: StormPlan,
  storm: Storm,
  process: ProcessKind,
  undisturbed: Undisturbed,
): Promise<KindResult> {
  const orders = allKills(process, plan.stages);
  const run = await plan.run(storm, `kill-${process.replaceAll(' ', '-')}`, orders, undisturbed);
  const { kills, faults, asked } = run;
  const same = faults.length === 0 && isDeepStrictEqual(run.outcome, undisturbed.outcome);
  const inFlight = kills.filter((kill) => kill.inFlight).length;
  print(drawKills(kills));
  print(`${process}: ${Math.round(run.seconds)} s, ${inFlight} kills in flight, ${same ? 'the same' : 'NOT the same'}`);
  if (!same) print([...faults, JSON.stringify(run.outcome, null, 2)].join('\n'));
  return { process, seconds: Math.round(run.seconds), kills, inFlight, same, ...(asked && { asked }) };
}

async function stormOver(plan: StormPlan, words: readonly string[]): Promise<boolean> {
  const all = kindsIn(plan.stages);
  const named = all.filter((kind) => words.some((word) => kind.includes(word)));
  const kinds = named.length === 0 ? all : named;
  const storm = await Storm.begin(plan.prepare);
  try {
    const undisturbed = await storm.undisturbed();
    print(
      `${plan.name}, undisturbed: ${Math.round(undisturbed.seconds)} s\n${JSON.stringify(undisturbed.outcome, null, 2)}`,
    );
    const results: KindResult[] = [];
    for (const kind of kinds) {
      results.push(await killAll(plan, storm, kind, undisturbed));
      if (kinds === all) await keep(plan, undisturbed, results);
    }
    return results.every(({ same, inFlight }) => same && inFlight >= 3);
  } finally {
    await storm.end();
  }
}

async function main(words: readonly string[]): Promise<number> {
  const named = plans.filter(({ name }) => words.includes(name));
  let isGood = true;
  for (const plan of named.length === 0 ? plans : named)
    isGood =
      (await stormOver(
        plan,
        words.filter((word) => word !== plan.name),
      )) && isGood;
  return isGood ? 0 : 1;
}

async function keep(
  { resultFile }: StormPlan,
  { outcome, seconds }: Undisturbed,
  results: readonly KindResult[],
): Promise<void> {
  const date = new Date().toISOString().slice(0, 10);
  const undisturbed = { seconds: Math.round(seconds), ...outcome };
  const content = { machine: describeMachine(), date, undisturbed, results };
  const path = join(packageRoot(), 'test', 'crash', resultFile);
  await writeFile(path, `${JSON.stringify(content, null, 2)}\n`);
}

const print = (text: string): void => void process.stdout.write(`${text}\n`);

process.exitCode = await main(process.argv.slice(2));

/** The caps of a plan on what its runs spend: that of a run is whole in each of them, that of a calendar period is shared. */
import { pathToFileURL } from 'node:url';
import { openStageLedger } from '../../../activities/stage-ledger.js';
import { budgetSchema } from '../../../config/budget-schema.js';
import { NightstillError } from '../../../config/errors.js';
import { teacherEndpointSchema } from '../../../config/teacher-schema.js';
import type { Ledger } from '../../../distillation/responses/index.js';
import { claimStage, openObjectStore, type ObjectStore } from '../../../storage/index.js';
import { ask, keyOf, teacher as answering } from '../../support/responses.js';
import { outcomeOf, owner, stageKeyOf } from '../../support/stage.js';
import { temporaryDirectory } from '../../support/temporary.js';

const teacher = teacherEndpointSchema.parse({
  ...answering,
  terms: { licence: 'MIT', allowsTraining: 'yes' },
  prices: { inputUsdPerMillion: 1, outputUsdPerMillion: 1, asOf: '2026-11-01' },
});
const period = { every: 'month', spendAtMostUsd: 1.5, timeZone: 'Europe/Berlin', name: 'team' };
const budget = budgetSchema.parse({ spendAtMostUsd: 1, period });

const november = Date.parse('2026-11-30T22:59:59Z');
const december = november + 1000; // it is midnight in Berlin

let store: ObjectStore;
beforeEach(async () => {
  store = await openObjectStore(pathToFileURL(temporaryDirectory()).href, { forWriting: true });
});
afterEach(() => store.close());

/** Whether the activities of runs are open, by the run. */
const open = new Set<string>();
const unreadable = new Set<string>();
const claim = (run: string) =>
  claimStage(store, {
    stageKey: stageKeyOf(run),
    owner: owner(1, 'answer', run),
    isOpen: ({ runId }, question) => {
      if (!unreadable.has(runId)) return Promise.resolve(open.has(runId));
      return question?.unreadable === 'open'
        ? Promise.resolve(true)
        : Promise.reject(new NightstillError('namespace-unreadable', `run ${runId}`));
    },
  });

async function ledgerOf(run: string, atMs: number): Promise<Ledger> {
  open.add(run);
  return openStageLedger(store, { teacher, runId: run, writer: await claim(run), budget, atMs });
}

/** Buys answers at a quarter of a dollar until it is stopped. @returns how many, and the setting that stopped it */
async function spend(run: string, ledger: Ledger): Promise<[bought: number, stoppedBy: string]> {
  for (let bought = 0; ; bought += 1) {
    try {
      await ask(ledger, keyOf(`${run} ${bought}`), 'yes', 0.25, 0.25);
    } catch (error) {
      expect(error).toMatchObject({ code: 'budget-exhausted' });
      return [bought, String((error as Error).message).replace(/:.*/, '')];
    }
  }
}

it('two runs share what a month may cost, each stops at its own cap too, and a new month begins anew', async () => {
  const buy = async (run: string, atMs: number): Promise<[number, string]> => {
    const ledger = await ledgerOf(run, atMs);
    try {
      return await spend(run, ledger);
    } finally {
      await ledger.close();
    }
  };
  expect(await buy('first', november - 3600_000)).toEqual([4, 'budget.spendAtMostUsd']);
  expect(await buy('second', november)).toEqual([2, 'budget.period.spendAtMostUsd']);
  expect(await buy('third', november)).toEqual([0, 'budget.period.spendAtMostUsd']);
  expect(await buy('fourth', december)).toEqual([4, 'budget.spendAtMostUsd']);
});

it('what a run held of a month is free again once it is over, and not before', async () => {
  const first = await ledgerOf('first', november);
  await ask(first, keyOf('a'), 'yes', 0.05, 0.9);
  const second = await ledgerOf('second', november);
  expect(await spend('second', second)).toEqual([2, 'budget.period.spendAtMostUsd']);
  // The first was ended from outside, and nobody goes on with it.
  open.delete('first');
  expect(await spend('second again', second)).toEqual([2, 'budget.spendAtMostUsd']);
  await expect(ask(first, keyOf('later'))).rejects.toMatchObject({ code: 'fence-lost' });
});

it('what a run holds of a month whose namespace nobody can read stays reserved, and fails no other run', async () => {
  const first = await ledgerOf('first', november);
  await ask(first, keyOf('a'), 'yes', 0.05, 0.9);
  unreadable.add('first');
  const second = await ledgerOf('second', november);
  expect(await spend('second', second)).toEqual([2, 'budget.period.spendAtMostUsd']);
  unreadable.delete('first');
  await first.close();
  expect(await spend('second again', second)).toEqual([2, 'budget.spendAtMostUsd']);
});

it('a stage that was sealed holds nothing any more, whatever its activity does', async () => {
  open.add('first');
  const writer = await claim('first');
  const first = await openStageLedger(store, { teacher, runId: 'first', writer, budget, atMs: november });
  await ask(first, keyOf('a'), 'yes', 0.05, 0.9);
  await writer.seal(await outcomeOf(writer));
  const second = await ledgerOf('second', november);
  expect((await spend('second', second))[0]).toBe(4);
});

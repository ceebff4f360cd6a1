/**
 * A run of the whole pipeline in small, in which one kind of process is killed in every stage that it takes part in, each
 * time with work in flight, at moments that a seed draws. `npm run storm` kills at all of them.
 */
import { drawnKills, processKinds } from '../support/kill-orders.js';
import { drawKills } from '../support/storm-table.js';
import { Storm, type Undisturbed } from '../support/storm.js';

const seed = 1;

let storm: Storm;
let undisturbed: Undisturbed;

beforeAll(async () => {
  storm = await Storm.begin();
  undisturbed = await storm.undisturbed();
});

afterAll(() => storm.end());

it('undisturbed, makes each result once', () => {
  const once = { import: 1, teacher: 1, student: 1, 'fine-tune': 1, distill: 1 };
  expect(undisturbed.outcome).toMatchObject({
    digests: {
      'fine-tune.model': expect.stringMatching(/^sha256:/),
      'distill.model': expect.stringMatching(/^sha256:/),
    },
    records: { results: 5, heads: 5, copiesOfSeals: 5 },
    completions: once,
    orphans: 0,
  });
});

it.each(processKinds)('comes out bit for bit the same when its %s is killed at each stage', async (process) => {
  const orders = drawnKills(process, seed);
  const { kills, outcome } = await storm.run(`kill-${process.replaceAll(' ', '-')}`, orders, undisturbed);
  globalThis.process.stdout.write(`${drawKills(kills)}\n`);
  expect(outcome).toEqual(undisturbed.outcome);
  expect(kills.length).toBeGreaterThanOrEqual(3);
  expect(kills.filter(({ inFlight }) => !inFlight)).toEqual([]);
});

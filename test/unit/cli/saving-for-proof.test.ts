/** How often the trainings of a proof save: by the time of their own steps, whatever the machine. */
import { savingForProof } from '../../../cli/dev/saving-for-proof.js';
import { openObjectStore, type JsonObject } from '../../../storage/index.js';
import { claim, outcomeOf, stageKeyOf } from '../../support/stage.js';
import { temporaryDirectory } from '../../support/temporary.js';

let count = 0;
const url = `file://${temporaryDirectory()}`;

/** A training of forty steps, each of which took so long; or another stage. */
async function recorded(node: string, stepMs?: number) {
  const store = await openObjectStore(url, { forWriting: true });
  const stageKey = stageKeyOf(`${node} ${(count += 1)}`);
  const writer = await claim(store, stageKey);
  const training = { facts: { steps: 40, tokens: 4000 }, observations: { tokensPerSecond: 100_000 / (stepMs ?? 1) } };
  await writer.seal({ ...(await outcomeOf(writer, stageKey)), ...(stepMs !== undefined && training) });
  await store.close();
  return { [node]: { outputs: {}, stageKey, reused: false } };
}

async function saving(file: JsonObject, nodes: Awaited<ReturnType<typeof recorded>>, loseAtMost = 300_000) {
  const resolved = Object.keys(nodes).map((id) => ({ id, with: { loseAtMost } }));
  return savingForProof(file, { result: { nodes }, store: url, nodes: resolved });
}

const stages = [
  { id: 'data', uses: 'import' },
  { id: 'student', uses: 'fine-tune', with: { steps: 40 } },
];

it.each([
  ['a fast machine saves within a fifth of the training', 10, 300_000, 80],
  ['a slow one no more often than every four steps', 2000, 1000, 8000],
  ['and what the plan says stands in between', 100, 500, 500],
])('%s', async (_what, stepMs, planned, expected) => {
  const nodes = { ...(await recorded('data')), ...(await recorded('student', stepMs)) };
  expect(await saving({ name: 'night', stages }, nodes, planned)).toEqual({
    name: 'night',
    stages: [stages[0], { ...stages[1], with: { steps: 40, loseAtMost: expected } }],
  });
});

it('a plan without stages of its own says it once, by the training with the shortest steps', async () => {
  const nodes = { ...(await recorded('fine-tune', 100)), ...(await recorded('distill', 20)) };
  expect(await saving({ name: 'night' }, nodes)).toEqual({ name: 'night', loseAtMost: 160 });
  expect(await saving({ name: 'night' }, await recorded('data'))).toEqual({ name: 'night' });
});

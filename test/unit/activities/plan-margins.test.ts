/** What a plan says, and refuses, of what its items can tell, in a store where nothing has run. */
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { previewPlan } from '../../../activities/preview-plan.js';
import type { Json } from '../../../config/json.js';
import { builtInStages } from '../../../plugins/built-in-stages.js';
import { conversationLines, copyModel } from '../../support/model-fixtures.js';
import { promotionPlan } from '../../support/promotion-plan.js';
import { temporaryDirectory } from '../../support/temporary.js';

let directory: string;
let model: string;
beforeAll(async () => {
  directory = temporaryDirectory();
  model = await copyModel('qwen3-qknorm', directory);
});

const notWorse = { score: 'exact-match', notWorseThan: 'champion' };

async function notesOf(dataset: string, gate: Json): Promise<readonly string[] | undefined> {
  const store = pathToFileURL(join(directory, 'store')).href;
  const plan = promotionPlan({ name: 'fresh', store, dataset, model, gates: [gate] });
  const rules = { kinds: builtInStages.map(({ kind }) => kind), queuePrefix: 'night' };
  return (await previewPlan(plan, rules)).nodes.find(({ id }) => id === 'gate')?.notes;
}

async function datasetOf(content: string): Promise<string> {
  const path = join(directory, 'rows.jsonl');
  await writeFile(path, content);
  return path;
}

it('before anything has run, a plan says which loss the items of its evaluation set resolve', async () => {
  const dataset = await datasetOf(`\n${conversationLines(500)}\n`); // blank lines are no items
  expect(await notesOf(dataset, { ...notWorse, margin: 0.06 })).toEqual([
    'exact-match, not worse than champion: 500 items resolve a loss of 0.0498, the margin is 0.06',
  ]);
});

it('before anything has run, a plan with a smaller margin than that is refused, and told how many items it needs', async () => {
  const dataset = await datasetOf(conversationLines(500));
  await expect(notesOf(dataset, { ...notWorse, margin: 0.02 })).rejects.toMatchObject({
    code: 'gate-margin-too-small',
    message: expect.stringContaining('500 items resolve, 0.0498 or more, or 3092 items; found 0.02') as string,
  });
});

it.each([
  ['has a row that cannot be read', `${conversationLines(3)}{`],
  ['is too large to be counted at once', `${conversationLines(3)}${'\n'.repeat(17 * 1024 * 1024)}`],
])('nothing is said of a set that %s: the import will', async (_, content) => {
  expect(await notesOf(await datasetOf(content), { ...notWorse, margin: 0.02 })).toBeUndefined();
});

it('what has no margin needs no count', async () => {
  const dataset = await datasetOf('{');
  expect(await notesOf(dataset, { score: 'exact-match', atLeast: 0.5 })).toBeUndefined();
  await rm(dataset);
});

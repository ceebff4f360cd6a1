/** What a plan says, and refuses, of what its items can tell, in a store where nothing has run. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { refuseUndecidable } from '../../../activities/plan-margins.js';
import { previewPlan } from '../../../activities/preview-plan.js';
import { resolvePlan } from '../../../activities/resolve-plan.js';
import type { Json, JsonObject } from '../../../config/json.js';
import { builtInStages } from '../../../plugins/built-in-stages.js';
import { defineStage } from '../../../plugins/define-stage.js';
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

const rules = { kinds: builtInStages.map(({ kind }) => kind), queuePrefix: 'night' };

function planOf(dataset: string, gate: Json): JsonObject {
  const store = pathToFileURL(join(directory, 'store')).href;
  return promotionPlan({ name: 'fresh', store, dataset, model, gates: [gate] }) as JsonObject;
}

const notesOf = async (dataset: string, gate: Json): Promise<readonly string[] | undefined> =>
  (await previewPlan(planOf(dataset, gate), rules)).nodes.find(({ id }) => id === 'gate')?.notes;

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

it('before anything has run, a plan with fewer items than a requirement wants is refused: its gate could not decide', async () => {
  const floor = { score: 'exact-match', atLeast: 0.8 };
  await expect(notesOf(await datasetOf(conversationLines(80)), floor)).rejects.toMatchObject({
    code: 'gate-items-too-few',
    message: 'exact-match: expected at least 100 items to decide by (minItems), found 80',
  });
  expect(await notesOf(await datasetOf(conversationLines(100)), floor)).toBeUndefined();
});

describe('before anything has run, an item without a reference is refused', () => {
  const refused = (where: string): object => ({
    code: 'evaluation-invalid',
    message: expect.stringContaining(where) as string,
  });
  const prompt = '{"messages":[{"role":"user","content":"and now?"}],"wanted":"this"}\n';
  const resolve = async (evaluate: object, content: string): Promise<void> => {
    const dataset = await datasetOf(content);
    const plan = planOf(dataset, { score: 'exact-match', atLeast: 0, minItems: 1 });
    const stages = (plan['stages'] as readonly JsonObject[]).map((stage) =>
      stage['uses'] === 'evaluate' ? { ...stage, with: { ...(stage['with'] as JsonObject), ...evaluate } } : stage,
    );
    await refuseUndecidable(resolvePlan({ ...plan, stages }, rules).plan, rules.kinds);
  };

  it('by the stage and the place of the row', async () => {
    const content = `${conversationLines(2)}\n${prompt}${prompt}`;
    const where = 'stage evaluate, row "line 4": expected an answer at the end, or the option reference';
    await expect(resolve({}, content)).rejects.toMatchObject(refused(where));
    await expect(notesOf(await datasetOf(content), { ...notWorse, minItems: 1 })).rejects.toMatchObject(refused(where));
  });

  it('where it is a field, by that', async () => {
    await resolve({ reference: 'wanted' }, prompt);
    await expect(resolve({ reference: 'wished' }, prompt)).rejects.toMatchObject(
      refused('row "line 1": expected a text in its field wished, found no such field'),
    );
  });

  it("but not to a stage of one's own that scores and says of no reference: it may judge bare prompts", async () => {
    const judge = defineStage({
      kind: 'judge',
      version: 1,
      inputs: { model: 'model', dataset: 'dataset' },
      outputs: { scores: 'scores' },
      knownScorers: ['liking'],
      run: () => Promise.reject(new Error('not run here')),
    });
    const plan = planOf(await datasetOf(prompt), { score: 'exact-match', atLeast: 0, minItems: 1 });
    const stages = (plan['stages'] as readonly JsonObject[]).map((stage) =>
      stage['uses'] === 'evaluate' ? { ...stage, uses: 'judge', with: {} } : stage,
    );
    const kinds = [...rules.kinds, judge.kind];
    const resolved = resolvePlan({ ...plan, stages }, { ...rules, kinds }).plan;
    await expect(refuseUndecidable(resolved, kinds)).resolves.toBeUndefined();
  });

  it('and a sample is of those that have one', async () => {
    await expect(resolve({ sample: 1 }, `${conversationLines(2)}${prompt}`)).resolves.toBeUndefined();
  });
});

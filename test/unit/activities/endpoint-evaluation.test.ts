/** A teacher behind an endpoint in a plan that measures: what it is asked, out of which money, and what is said of that before. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { planJsonSchema } from '../../../activities/plan-json-schema.js';
import { previewPlan } from '../../../activities/preview-plan.js';
import { resolvePlan } from '../../../activities/resolve-plan.js';
import { openStageLedger } from '../../../activities/stage-ledger.js';
import { budgetSchema } from '../../../config/budget-schema.js';
import type { JsonObject } from '../../../config/json.js';
import { teacherEndpointSchema } from '../../../config/teacher-schema.js';
import { builtInStages } from '../../../plugins/built-in-stages.js';
import { openObjectStore } from '../../../storage/index.js';
import { copyModel } from '../../support/model-fixtures.js';
import { ask, keyOf } from '../../support/responses.js';
import { claim, stageKeyOf } from '../../support/stage.js';
import { temporaryDirectory } from '../../support/temporary.js';

const kinds = builtInStages.map(({ kind }) => kind);
const rules = { kinds, queuePrefix: 'night' };

const teacher = {
  endpoint: 'https://teacher/v1',
  model: 'large',
  revision: '1',
  terms: { licence: 'MIT', allowsTraining: 'yes' },
  prices: { inputUsdPerMillion: 1, outputUsdPerMillion: 10, asOf: '2026-11-27' },
};
const plan = {
  name: 'nightly',
  store: 'file:///store',
  student: '/s',
  dataset: '/rows.jsonl',
  evaluation: '/held-out.jsonl',
  teacher,
  budget: { spendAtMostUsd: 5 },
  gates: [{ score: 'exact-match', atLeast: 0.8, of: 'teacher' }],
};

const nodeOf = (file: object, id: string) => resolvePlan(file, rules).plan.nodes.find((node) => node.id === id);
const resolving = (file: object) => () => resolvePlan(file, rules);

it('a teacher behind an endpoint answers the held-out rows as the students do, out of the same budget, and the gate has its scores', () => {
  const file = { ...plan, answer: { system: 'Be brief.', maximumTokens: 2000 }, evaluate: { maximumTokens: 64 } };
  expect(nodeOf(file, 'answer-evaluation')).toMatchObject({
    uses: 'answer',
    queue: 'night-io',
    inputs: { dataset: { node: 'evaluation', output: 'dataset' } },
    with: { temperature: 0, maximumTokens: 64, system: 'Be brief.', keep: ['cut-off', 'refused'], budget: plan.budget },
  });
  expect(nodeOf(plan, 'answer-evaluation')?.with).toMatchObject({ maximumTokens: 256 });
  expect(nodeOf(file, 'evaluate-teacher')).toMatchObject({
    uses: 'evaluate',
    inputs: {
      answers: { node: 'answer-evaluation', output: 'answers' },
      dataset: { node: 'evaluation', output: 'dataset' },
    },
    with: nodeOf(file, 'evaluate')?.with,
  });
  // Its limits hold for one stage: two do not ask it at once.
  expect(nodeOf(file, 'answer')?.needs).toEqual(['import', 'answer-evaluation']);
  expect(nodeOf(file, 'gate')?.inputs['teacher']).toEqual({ node: 'evaluate-teacher', output: 'scores' });
});

it('a section says how the teacher is asked, or that it is not; the gates that need it are then refused', () => {
  const options = nodeOf({ ...plan, 'answer-evaluation': { maximumTokens: 4096 } }, 'answer-evaluation')?.with;
  expect(options).toMatchObject({ maximumTokens: 4096, keep: ['cut-off', 'refused'] });
  const off = { ...plan, 'answer-evaluation': false };
  expect(resolving(off)).toThrow('without a teacher since answer-evaluation is false');
  const gates = [{ score: 'exact-match', atLeast: 0.8 }];
  const { nodes } = resolvePlan({ ...off, gates }, rules).plan;
  expect(nodes.map(({ id }) => id).filter((id) => /evaluation|teacher/.test(id))).toEqual(['evaluation']);
  expect(nodes.find(({ id }) => id === 'answer')?.needs).toEqual(['import']);
  expect(resolving({ ...plan, 'answer-evaluation': { maximumToken: 1 } })).toThrow('answer-evaluation.maximumToken');
  expect(resolving({ ...plan, gates, evaluation: undefined, 'answer-evaluation': {} })).toThrow(
    'answer-evaluation: expected evaluation beside it',
  );
  expect(resolving({ ...plan, budget: undefined, teacher: '/t', 'answer-evaluation': {} })).toThrow(
    'answer-evaluation: expected none, since the teacher is a model directory',
  );
  const { properties } = planJsonSchema(kinds) as { readonly properties: JsonObject };
  expect(properties['answer-evaluation']).toMatchObject({ anyOf: [{ const: false }, { $ref: '#/$defs/answer' }] });
});

it('a teacher that is asked anew when it has changed is measured anew as well', () => {
  const canary = { prompts: ['Who are you?'], onDrift: 'ask-again' };
  const watched = nodeOf({ ...plan, teacher: { ...teacher, canary } }, 'answer-evaluation');
  expect(watched?.inputs['identity']).toEqual({ node: 'canary', output: 'identity' });
});

describe('what is told before a run:', () => {
  let file: JsonObject;
  let store: string;
  beforeAll(async () => {
    const directory = temporaryDirectory();
    const rows = (count: number): string =>
      Array.from({ length: count }, (_, row) => `{"prompt":"question ${row}","response":"${row}"}\n`).join('');
    await writeFile(join(directory, 'rows.jsonl'), rows(130));
    await writeFile(join(directory, 'held-out.jsonl'), rows(120));
    store = pathToFileURL(join(directory, 'store')).href;
    file = {
      ...plan,
      store,
      student: await copyModel('qwen3-qknorm', directory),
      dataset: join(directory, 'rows.jsonl'),
      evaluation: join(directory, 'held-out.jsonl'),
      evaluate: { maximumTokens: 100 },
    };
  });
  const previewOf = (given: object) => previewPlan({ ...file, ...given }, rules);
  const notesOf = async (given: object) => {
    const { nodes } = await previewOf(given);
    return Object.fromEntries(nodes.flatMap(({ id, notes }) => (notes ? [[id, notes]] : [])));
  };

  it('what an endpoint is about to be asked, and what the answers cost at most', async () => {
    const notAgain = 'what is recorded is not asked again';
    expect(await notesOf({})).toEqual({
      answer: [`asks an endpoint 130 times: at most $1.33 for answers, and prompts on top; ${notAgain}`],
      'answer-evaluation': [`asks an endpoint 120 times: at most $0.12 for answers, and prompts on top; ${notAgain}`],
    });
    const { prices: _, ...unpriced } = teacher;
    expect((await notesOf({ teacher: unpriced, budget: undefined }))['answer-evaluation']).toEqual([
      `asks an endpoint 120 times: the price is not given; ${notAgain}`,
    ]);
    // Whoever else asks it says so as well.
    const canary = { prompts: ['Who are you?', 'Why?'], maximumTokens: 50 };
    const watched = { teacher: { ...teacher, canary }, capture: { rowTokens: 99 }, distill: { rowTokens: 99 } };
    const captured = `at most $0.00011, prompts included, each; ${notAgain}`;
    expect(await notesOf(watched)).toMatchObject({
      canary: ['asks an endpoint 2 times, in every run: at most $0.001 for answers, and prompts on top'],
      capture: [`asks an endpoint once for each row: ${captured}`],
    });
    const splitting = { rowTokens: 99, tooLong: 'split' };
    const split = { ...watched, capture: splitting, distill: splitting };
    expect((await notesOf(split))['capture']).toEqual([`asks an endpoint once for each sample: ${captured}`]);
  });

  it('which caps stop it, and how much is taken of the one that runs share', async () => {
    expect((await previewOf({})).caps).toEqual(['a run stops at $5, and the next begins with all of that again']);
    const period = { every: 'month', spendAtMostUsd: 100, timeZone: 'Europe/Berlin', name: 'team' };
    const budget = budgetSchema.parse({ spendAtMostUsd: 5, period });
    const opened = await openObjectStore(store, { forWriting: true });
    const writer = await claim(opened, stageKeyOf('another plan'));
    const asked = teacherEndpointSchema.parse(teacher);
    const ledger = await openStageLedger(opened, { teacher: asked, runId: 'another', writer, budget });
    await ask(ledger, keyOf('a'), 'yes', 0.05);
    await ledger.close();
    await opened.close();
    expect((await previewOf({ budget: { spendAtMostUsd: 5, period } })).caps).toEqual([
      'a run stops at $5, and all that share "team" at $100 a month (Europe/Berlin), of which $0.05 are taken',
    ]);
  });
});

it('a plan of own stages gives an evaluation answers in place of a model, and never both', () => {
  const stages = (inputs: object) => ({
    name: 'own',
    store: 'file:///store',
    teacher,
    stages: [
      { id: 'rows', uses: 'import', with: { dataset: '/rows.jsonl' } },
      { id: 'model', uses: 'import-model', with: { model: '/m' } },
      { id: 'ask', uses: 'answer', needs: ['rows'] },
      {
        id: 'judge',
        uses: 'evaluate',
        needs: ['rows', 'ask', 'model'],
        inputs: { dataset: 'rows.dataset', ...inputs },
        with: { scorers: ['exact-match'] },
      },
    ],
  });
  expect(nodeOf(stages({ answers: 'ask.answers' }), 'judge')?.inputs).toEqual({
    answers: { node: 'ask', output: 'answers' },
    dataset: { node: 'rows', output: 'dataset' },
  });
  expect(nodeOf(stages({}), 'judge')?.inputs).toHaveProperty('model');
  expect(resolving(stages({ answers: 'ask.answers', model: 'model.model' }))).toThrow(
    'stages[3].inputs.model: expected none beside answers, which stands in its place, found model.model',
  );
  expect(resolving(stages({ answers: 'ask.answers', teacher: 'model.model' }))).toThrow(
    'expected no input teacher beside answers',
  );
});

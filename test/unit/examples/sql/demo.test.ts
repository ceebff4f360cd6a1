import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { loadPlan } from '../../../../cli/plan/load-plan.js';
import { parameterCount, readModelConfig } from '../../../../engine/index.js';
import { studentConfig, teacherDirectory } from '../../../../examples/sql/student.js';

const directory = join(teacherDirectory, '..');
interface Recipe {
  readonly parameters: number;
  readonly weights: { readonly bytes: number; readonly digest: string };
}
const recipeOf = (model: string) => JSON.parse(readFileSync(join(directory, `${model}.json`), 'utf8')) as Recipe;
const recipe = recipeOf('teacher');
const weightsOf = (model: string) => join(directory, model, 'model.safetensors');

async function nodesOf(plan: string) {
  const { resolved } = await loadPlan({ path: join(directory, plan), variables: {} });
  return new Map(resolved?.plan.nodes.map((node) => [node.id, node]));
}

test.each(['teacher', 'student'])('the %s is the one whose recipe is told, in bfloat16', async (model) => {
  const bytes = readFileSync(weightsOf(model));
  const { weights, parameters } = recipeOf(model);
  expect(weights).toEqual({
    bytes: bytes.length,
    digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}`,
  });
  expect(parameterCount(await readModelConfig(join(directory, model, 'config.json')))).toBe(parameters);
  const header = bytes.toString('utf8', 8, 8 + Number(bytes.readBigUInt64LE()));
  expect(new Set(header.match(/"dtype":"\w+"/g))).toEqual(new Set(['"dtype":"BF16"']));
});

test('both together have at most 8 MB of weights', () => {
  const sizes = ['teacher', 'student'].map((model) => statSync(weightsOf(model)).size);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(8_000_000);
});

test('the student has at most a quarter of the weights of the teacher, and its tokenizer', async () => {
  const teacher = await readModelConfig(join(teacherDirectory, 'config.json'));
  expect(parameterCount(studentConfig(teacher))).toBeLessThanOrEqual(parameterCount(teacher) / 4);
  expect(recipeOf('student').parameters).toBe(parameterCount(studentConfig(teacher)));
  const [ours, theirs] = ['student', 'teacher'].map((model) => readFileSync(join(directory, model, 'tokenizer.json')));
  expect(ours?.equals(theirs ?? Buffer.alloc(0))).toBe(true);
});

test('the plan of the demo holds, and asks the revision of the teacher that is here', async () => {
  const nodes = await nodesOf('distill.yaml');
  expect(nodes.get('answer')?.with['teacher']).toMatchObject({ revision: recipe.weights.digest.slice(7, 19) });
});

test('the control differs from the distillation in nothing but the share of cross-entropy', async () => {
  const nodes = await nodesOf('distill.yaml');
  const [kd, control] = [nodes.get('kd'), nodes.get('control')];
  expect(kd?.with).toMatchObject({ temperature: 2 });
  expect(control).toEqual({ ...kd, id: 'control', with: { ...kd?.with, crossEntropyShare: 1 } });
});

test('all are asked the same questions in the same way, and nobody is trained on these', async () => {
  const nodes = await nodesOf('distill.yaml');
  const evaluations = [...nodes.values()].filter(({ id }) => id.startsWith('evaluate-'));
  expect(evaluations).toHaveLength(5);
  const [first] = evaluations;
  for (const { with: options, inputs } of evaluations) {
    expect(options).toEqual(first?.with);
    expect(inputs['dataset']).toEqual({ node: 'test', output: 'dataset' });
  }
  for (const { uses, needs } of nodes.values()) if (uses !== 'evaluate') expect(needs).not.toContain('test');
});

test('every student is asked rows of its own training as well, to see what it recites', async () => {
  const nodes = await nodesOf('distill.yaml');
  for (const student of ['sft', 'kd', 'control'])
    expect(nodes.get(`recite-${student}`)).toMatchObject({
      inputs: { model: { node: student }, dataset: nodes.get(student)?.inputs['dataset'] },
      with: { scorers: ['exact-match@1'], sample: 200 },
    });
});

test('the plan of the forty steps holds', async () => {
  expect((await nodesOf('micro.yaml')).get('student')?.with).toMatchObject({ steps: 40 });
});

test('the distilled student is promoted when it is no worse than what serves, better than its base, and near its teacher', async () => {
  const nodes = await nodesOf('distill.yaml');
  expect(nodes.get('gate')).toMatchObject({
    inputs: {
      model: { node: 'kd' },
      candidate: { node: 'evaluate-kd' },
      base: { node: 'evaluate-base' },
      teacher: { node: 'evaluate-teacher' },
    },
    with: {
      name: 'sql',
      gates: [{ notWorseThan: 'champion' }, { betterThan: 'base' }, { of: 'teacher' }],
    },
  });
  expect(nodes.get('promote')).toMatchObject({ inputs: { verdict: { node: 'gate' }, model: { node: 'kd' } } });
});

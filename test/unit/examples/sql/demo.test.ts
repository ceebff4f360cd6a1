import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { loadPlan } from '../../../../cli/plan/load-plan.js';
import { parameterCount, readModelConfig } from '../../../../engine/index.js';
import { studentConfig, teacherDirectory } from '../../../../examples/sql/student.js';

const directory = join(teacherDirectory, '..');
const weights = join(teacherDirectory, 'model.safetensors');
const recipe = JSON.parse(readFileSync(join(directory, 'teacher.json'), 'utf8')) as {
  readonly parameters: number;
  readonly weights: { readonly bytes: number; readonly digest: string };
};

async function nodesOf(plan: string) {
  const { resolved } = await loadPlan({ path: join(directory, plan), variables: {} });
  return new Map(resolved?.plan.nodes.map((node) => [node.id, node]));
}

test('the teacher is the one whose recipe is told, in at most 8 MB of bfloat16', async () => {
  const bytes = readFileSync(weights);
  expect(recipe.weights).toEqual({
    bytes: bytes.length,
    digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}`,
  });
  expect(parameterCount(await readModelConfig(join(teacherDirectory, 'config.json')))).toBe(recipe.parameters);
  expect(statSync(weights).size).toBeLessThanOrEqual(8_000_000);
  const header = bytes.toString('utf8', 8, 8 + Number(bytes.readBigUInt64LE()));
  expect(new Set(header.match(/"dtype":"\w+"/g))).toEqual(new Set(['"dtype":"BF16"']));
});

test('the student has at most a quarter of its weights', async () => {
  const teacher = await readModelConfig(join(teacherDirectory, 'config.json'));
  expect(parameterCount(studentConfig(teacher))).toBeLessThanOrEqual(parameterCount(teacher) / 4);
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
  const evaluations = [...nodes.values()].filter(({ uses }) => uses === 'evaluate');
  expect(evaluations).toHaveLength(5);
  const [first] = evaluations;
  for (const { with: options, inputs } of evaluations) {
    expect(options).toEqual(first?.with);
    expect(inputs['dataset']).toEqual({ node: 'test', output: 'dataset' });
  }
  for (const { uses, needs } of nodes.values()) if (uses !== 'evaluate') expect(needs).not.toContain('test');
});

test('the plan of the forty steps holds', async () => {
  expect((await nodesOf('micro.yaml')).get('student')?.with).toMatchObject({ steps: 40 });
});

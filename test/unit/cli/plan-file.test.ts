import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { loadPlan } from '../../../cli/plan/load-plan.js';
import { temporaryDirectory } from '../../support/temporary.js';

const directory = temporaryDirectory();
let written = 0;

function writePlan(text: string, ending = 'yaml'): string {
  const path = join(directory, `plan-${(written += 1)}.${ending}`);
  writeFileSync(path, text);
  return path;
}

const load = (path: string) => loadPlan({ path, variables: { NIGHTSTILL_STORE: 's3://bucket/default' } });

const dated = 'name: night\nteacher: /t\nstudent: /s\ndataset: s3://bucket/{{scheduledDate}}.jsonl\n';

const refusal = async (path: string): Promise<string> => {
  try {
    await load(path);
  } catch (error) {
    return `${(error as { code: string }).code}: ${(error as Error).message}`;
  }
  throw new Error('expected a refusal');
};

describe('a plan file', () => {
  it('that waits for a date is kept as it is for a schedule, filled for a day that is given, and refused otherwise', async () => {
    const path = writePlan(dated);
    expect(await refusal(path)).toMatch(
      /^plan-invalid: .*:4:1: dataset: expected the day that \{\{scheduledDate\}\} stands for: .*, found none/,
    );
    const { file } = await loadPlan({ path, variables: {}, forSchedule: true });
    expect(file).toMatchObject({ dataset: 's3://bucket/{{scheduledDate}}.jsonl' });
    const given = await loadPlan({ path, variables: {}, date: '2026-11-26' });
    expect(given.file).toMatchObject({ dataset: 's3://bucket/2026-11-26.jsonl' });
    await expect(loadPlan({ path, variables: {}, date: '2026-11-31' })).rejects.toThrow('--date: expected a day');
  });

  it('that is the same every day is refused with a day: whoever names one expects the rows of that day', async () => {
    for (const dataset of ['rows.jsonl', '{ from: "rows/{{scheduledDate}}/", window: 7d, until: 2026-11-01 }']) {
      const path = writePlan(`name: night\nteacher: /t\nstudent: /s\ndataset: ${dataset}\n`);
      await expect(loadPlan({ path, variables: {}, date: '2026-11-26' })).rejects.toMatchObject({
        code: 'plan-invalid',
        message: expect.stringContaining('--date: expected a plan that is another one each day') as string,
      });
      expect((await loadPlan({ path, variables: {} })).file).toMatchObject({ name: 'night' });
    }
  });

  it('may take its rows from several places and days, each path of which is made absolute', async () => {
    const dataset = '{ from: ["rows/{{scheduledDate}}/", "./more-{{scheduledDate}}.jsonl"], window: 7d }';
    const path = writePlan(
      `name: night\nteacher: /t\nstudent: /s\ndataset: ${dataset}\nevaluation: held-out/*.jsonl\n`,
    );
    const { file, resolved } = await loadPlan({ path, variables: {}, date: '2026-11-26' });
    expect(file).toMatchObject({
      dataset: {
        from: [join(directory, 'rows/{{scheduledDate}}/'), join(directory, 'more-{{scheduledDate}}.jsonl')],
        window: '7d',
        until: '2026-11-26',
      },
      evaluation: join(directory, 'held-out/*.jsonl'),
    });
    expect(resolved?.plan.nodes[0]?.with['dataset']).toMatchObject({
      from: [expect.stringMatching(/^file:.*\{\{scheduledDate\}\}\/$/), expect.stringMatching(/^file:/)],
      until: '2026-11-26',
    });
  });

  it('is YAML or JSON, with its paths made absolute against its own directory, wherever the command was called', async () => {
    const stage = { id: 'questions', uses: 'import', with: { dataset: 'rows.jsonl' } };
    const json = await load(writePlan(JSON.stringify({ name: 'night', store: 'data', stages: [stage] }), 'json'));
    expect(json.file).toEqual({
      name: 'night',
      store: pathToFileURL(join(directory, 'data')).href,
      stages: [{ ...stage, with: { dataset: join(directory, 'rows.jsonl') } }],
    });
    const yaml =
      'name: night\nteacher: ./teacher\nstudent: { layers: { every: 2 } }\ndataset: s3://bucket/rows.jsonl\n';
    expect((await load(writePlan(yaml))).file).toEqual({
      name: 'night',
      store: 's3://bucket/default',
      teacher: join(directory, 'teacher'),
      student: { layers: { every: 2 } },
      dataset: 's3://bucket/rows.jsonl',
    });
  });

  it('is resolved here when its kinds are known here, and left to the run when they are not', async () => {
    const plan = (uses: string) =>
      writePlan(`name: night\nstages:\n  - { id: one, uses: ${uses}, with: { dataset: /rows } }\n`);
    expect((await load(plan('import'))).resolved?.plan.nodes).toHaveLength(1);
    expect((await load(plan('of-my-own'))).resolved).toBeUndefined();
  });

  it('that is no YAML is refused with line and column', async () => {
    const path = writePlan('name: night\nstages:\n  - { id: one\nstore: [');
    expect(await refusal(path)).toMatch(new RegExp(`^plan-invalid: ${path}:\\d+:\\d+: expected YAML or JSON`));
    const twice = writePlan('name: night\nname: day\n');
    expect(await refusal(twice)).toMatch(new RegExp(`^plan-invalid: ${twice}:2:1: .*unique`));
  });

  it('with a mistake in it is refused with line and column of the mistake', async () => {
    const path = writePlan(`name: night
stages:
  - id: questions
    uses: import
    with:
      dataset: rows.jsonl
      shardBytes: many
`);
    expect(await refusal(path)).toMatch(
      new RegExp(`^plan-invalid: ${path}:7:7: stages\\[0\\]\\.with\\.shardBytes: expected`),
    );
  });

  it('with a key missing is refused where it is missing', async () => {
    const path = writePlan('name: night\nstages:\n  - id: questions\n    uses: import\n');
    expect(await refusal(path)).toMatch(new RegExp(`^plan-invalid: ${path}:\\d+:\\d+: stages\\[0\\]\\.with`));
  });

  it('that is not there, or no text, is refused by name', async () => {
    expect(await refusal(join(directory, 'none.yaml'))).toMatch(/^plan-invalid: .*none\.yaml: expected a plan file/);
    mkdirSync(join(directory, 'folder.yaml'));
    expect(await refusal(join(directory, 'folder.yaml'))).toMatch(/^plan-invalid: /);
    const binary = join(directory, 'binary.yaml');
    writeFileSync(binary, Buffer.from([0xff, 0xfe]));
    expect(await refusal(binary)).toMatch(/^plan-invalid: .*UTF-8/);
  });

  it('cannot blow up by aliases of aliases', async () => {
    const names = Array.from({ length: 9 }, (_, index) => `level${index}`);
    const levels = names.map((name, index) => {
      const below = index === 0 ? '1' : `*level${index - 1}`;
      return `${name}: &${name} [${Array<string>(10).fill(below).join(', ')}]`;
    });
    const bomb = ['name: night', ...levels, ''].join('\n');
    expect(await refusal(writePlan(bomb))).toMatch(/^plan-invalid: .*aliases/);
  });
});

/** What becomes of `gates` in a plan: which models are measured, who decides, who is promoted, and what serves already. */
import { asksForChampion, placeChampion } from '../../../activities/place-champion.js';
import { resolvePlan } from '../../../activities/resolve-plan.js';
import { identifyStage } from '../../../activities/stage-key.js';
import { withAbsolutePaths } from '../../../cli/plan/plan-paths.js';
import { builtInStages } from '../../../plugins/built-in-stages.js';
import { gateStage } from '../../../plugins/gate-stage.js';
import { promoteStage } from '../../../plugins/promote-stage.js';
import { digestOf, openObjectStore, promote } from '../../../storage/index.js';
import { temporaryDirectory } from '../../support/temporary.js';

const kinds = builtInStages.map(({ kind }) => kind);
const rules = { kinds, queuePrefix: 'night' };
const standard = { name: 'nightly', store: 'file:///store', teacher: '/t', student: '/s', dataset: '/rows.jsonl' };
const floor = { score: 'exact-match', atLeast: 0.6 };
const measured = { ...standard, evaluation: '/held-out.jsonl', gates: [floor] };
const nodesOf = (file: object) => resolvePlan(file, rules).plan.nodes;
const idsOf = (file: object) => nodesOf(file).map(({ id }) => id);
const added = (file: object) => idsOf(file).slice(idsOf({ ...file, gates: undefined, evaluate: undefined }).length);
const resolving = (file: object) => () => resolvePlan(file, rules);

describe('a student that starts from the champion', () => {
  const started = { ...measured, student: { model: '/s', start: 'champion' } };

  it('has the model that serves in the place of the base, and its promotion told which training that was', async () => {
    const resolved = resolvePlan(started, rules).plan;
    expect(asksForChampion(resolved, kinds)).toBe(true);
    const of = (nodes: typeof resolved.nodes, id: string) => nodes.find((node) => node.id === id);
    expect(of(resolved.nodes, 'promote')?.inputs['trained']).toEqual({ node: 'fine-tune', output: 'model' });
    const store = await openObjectStore(`file://${temporaryDirectory()}/started`, { forWriting: true });
    const none = await placeChampion(resolved, kinds, store);
    expect(of(none.nodes, 'fine-tune')?.inputs['model']).toEqual({ node: 'student', output: 'model' });
    const model = { kind: 'model', digest: digestOf('served'), uri: 'blobs/served', bytes: 1, indexBytes: 1 };
    const move = { name: 'nightly', alias: 'champion', expected: null, reason: 'a test', operationId: 'one' };
    await promote(store, { ...move, model, trainedBy: 'a'.repeat(64) });
    const placed = of((await placeChampion(resolved, kinds, store)).nodes, 'fine-tune');
    expect(placed).toMatchObject({ artifacts: { model }, fromChampion: { input: 'model', trainedBy: 'a'.repeat(64) } });
    expect(placed?.inputs['model']).toBeUndefined();
    await store.close();
  });

  it('is the plan of its base where it starts from the base, in words or without', () => {
    const base = nodesOf({ ...measured, student: { model: '/s', start: 'base' } });
    expect(base.slice(0, -1)).toEqual(nodesOf(measured).slice(0, -1));
    expect(nodesOf({ ...measured, student: { model: '/s' } }).slice(0, -1)).toEqual(base.slice(0, -1));
  });

  it('may not begin otherwise as well', () => {
    expect(resolving({ ...started, 'fine-tune': { start: { random: {} } } })).toThrow('fine-tune.start: expected none');
  });
});

/** Beside a control, in the order of the report. */
const everyone = ['evaluate', 'evaluate-base', 'evaluate-teacher', 'evaluate-fine-tuned'];

describe('gates of the standard plan', () => {
  it('have the student measured, decide about it under the name of the plan, and promote it', () => {
    expect(added(measured)).toEqual([...everyone, 'gate', 'promote']);
    const [evaluate, gate, last] = ['evaluate', 'gate', 'promote'].map((id) =>
      nodesOf(measured).find((node) => node.id === id),
    );
    expect(evaluate).toMatchObject({
      with: { scorers: ['exact-match@1'] },
      inputs: { model: { node: 'distill', output: 'model' }, dataset: { node: 'evaluation', output: 'dataset' } },
    });
    expect(gate).toMatchObject({ queue: 'night-io', with: { name: 'nightly', alias: 'champion', gates: [floor] } });
    expect(last).toMatchObject({ inputs: { model: { node: 'distill' }, dataset: { node: 'import' } } });
  });

  it('have every model of the plan measured, and wait for those alone that they compare the student with', () => {
    const gates = [
      { score: 'exact-match', betterThan: 'base' },
      { score: 'exact-match', atLeast: 0.8, of: 'teacher' },
      { score: 'exact-match', notWorseThan: 'champion' },
    ];
    expect(added({ ...measured, gates })).toEqual([...everyone, 'gate', 'promote']);
    const gate = nodesOf({ ...measured, gates }).at(-2);
    expect(gate?.inputs).toEqual({
      model: { node: 'distill', output: 'model' },
      candidate: { node: 'evaluate', output: 'scores' },
      base: { node: 'evaluate-base', output: 'scores' },
      teacher: { node: 'evaluate-teacher', output: 'scores' },
    });
    expect(gate?.needs.toSorted()).toEqual(['distill', 'evaluate', 'evaluate-base', 'evaluate-teacher']);
    const student = { layers: { every: 2 } };
    expect(added({ ...measured, student })).toEqual(
      everyone.filter((id) => id !== 'evaluate-base').concat('gate', 'promote'),
    );
  });

  it('decide about the student of an endpoint as well, whose model card names the answers that it learned', () => {
    const terms = { licence: 'MIT', allowsTraining: 'yes' };
    const teacher = { endpoint: 'https://teacher/v1', model: 'large', revision: '1', terms };
    const dataset = { node: 'answer', output: 'dataset' };
    expect(nodesOf({ ...measured, teacher }).at(-1)?.inputs).toMatchObject({ model: { node: 'fine-tune' }, dataset });
    const asked = ['answer-evaluation', 'evaluate', 'evaluate-base', 'evaluate-teacher', 'gate', 'promote'];
    expect(added({ ...measured, teacher })).toEqual(asked);
  });

  it('are refused where they compare with a model that the plan does not have', () => {
    const gates = [{ score: 'exact-match', betterThan: 'control' }];
    expect(resolving({ ...measured, gates })).toThrow(
      'gates: expected comparisons with what this plan has (champion, base, ',
    );
    expect(added({ ...measured, gates, control: true })).toEqual([...everyone, 'evaluate-control', 'gate', 'promote']);
  });

  it('are not needed to measure, and what is wrong with a section is told once', () => {
    const file = { ...measured, gates: undefined };
    expect(added({ ...file, evaluate: { scorers: ['exact-match'] } })).toEqual(everyone);
    const gates = [{ ...floor, of: 'base' }];
    expect(resolving({ ...measured, gates, evaluate: { maximumTokens: 0 } })).toThrow(
      /^evaluate\.maximumTokens: [^\n]*$/,
    );
  });

  it('are refused by the name of what is missing or misspelt', () => {
    expect(resolving({ ...measured, evaluation: undefined })).toThrow(
      /^gates: expected evaluation beside it, the held-out rows that it is about, found nothing$/,
    );
    const gates = [{ score: 'exact-mach', atLeast: 0.6 }];
    expect(resolving({ ...measured, gates })).toThrow(/^gates: expected scores of [^\n]*exact-match[^\n]*$/);
    const student = { layers: { every: 2 } };
    expect(resolving({ ...measured, student, gates: [{ score: 'exact-match', betterThan: 'base' }] })).toThrow(
      'without a base since the student is cut from layers of the teacher',
    );
  });

  it.each([
    [
      { notWorseThan: 'champion', margin: 5 },
      'margin: expected less than 1, as scores are 0 to 1: 0.05 for five points, found 5',
    ],
    [
      { notWorseThan: 'champion', margin: 1 },
      'margin: expected less than 1, as scores are 0 to 1: 0.05 for five points, found 1',
    ],
    [{ atLeast: 80 }, 'atLeast: expected 0 to 1, as scores are: 0.8 for 80 percent, found 80'],
    [{ atMost: 5 }, 'atMost: expected 0 to 1, as scores are: 0.8 for 80 percent, found 5'],
    [
      { atLeast: 80, of: 'teacher' },
      'atLeast: expected at most 10 times the mean of that model: 0.8 for 80 percent, found 80',
    ],
  ])('are shares, as scores are: %j is refused', (requirement, message) => {
    const gates = [{ score: 'exact-match', ...requirement }];
    expect(resolving({ ...measured, gates })).toThrow(`gates[0].${message}`);
  });

  it('take what the section promote says for the model card, and a plan without gates refuses it', () => {
    const file = { ...measured, promote: { licence: 'Apache-2.0' } };
    expect(nodesOf(file).at(-1)).toMatchObject({ uses: 'promote', with: { licence: 'Apache-2.0' } });
    expect(resolving({ ...file, promote: { license: 'MIT' } })).toThrow('promote.license');
    expect(resolving({ ...file, gates: undefined })).toThrow('promote: expected gates beside it');
  });

  it('find the database of their scorer beside the file', () => {
    const place = { directory: '/night', kinds, defaultStore: 'file:///store' };
    expect(withAbsolutePaths({ evaluate: { database: 'shop.db' } }, place)).toMatchObject({
      evaluate: { database: '/night/shop.db' },
    });
  });
});

describe('the answers of the training', () => {
  const asking = { ...measured, reproduction: 200, control: true };

  it('are asked of each student that is evaluated, each of the rows that it learned from, where the plan says how many', () => {
    const file = { ...asking, evaluate: { maximumTokens: 64, scorers: ['exact-match'], reference: 'sql' } };
    const nodes = nodesOf(file).filter(({ id }) => id.startsWith('reproduce'));
    expect(nodes.map(({ id }) => id)).toEqual(['reproduce-fine-tune', 'reproduce-distill', 'reproduce-control']);
    for (const { id, uses, inputs, with: options } of nodes) {
      expect(inputs).toEqual({
        model: { node: id.replace('reproduce-', ''), output: 'model' },
        dataset: { node: 'import', output: 'dataset' },
      });
      expect(uses).toBe('evaluate');
      expect(options).toMatchObject({ scorers: ['exact-match@1'], sample: 200, maximumTokens: 64 });
      expect(options).not.toHaveProperty('reference');
    }
    expect(idsOf({ ...asking, control: undefined }).filter((id) => id.startsWith('reproduce'))).toHaveLength(2);
    expect(nodesOf({ ...asking, reproduction: 9 }).at(-1)?.with).toMatchObject({ sample: 9 });
    expect(idsOf({ ...file, reproduction: undefined }).join()).not.toContain('reproduce');
  });

  it('are those of the teacher where it gave them, and are refused where nothing is measured', () => {
    const dataset = { node: 'answer', output: 'dataset' };
    const teacher = { model: '/t', terms: { licence: 'MIT', allowsTraining: 'yes' } };
    expect(nodesOf({ ...asking, teacher, answer: {} }).at(-1)?.inputs).toMatchObject({ dataset });
    for (const reproduction of [0, 9])
      expect(resolving({ ...standard, reproduction })).toThrow('reproduction: expected evaluation beside it');
    expect(idsOf({ ...asking, reproduction: 0 })).toEqual(idsOf({ ...asking, reproduction: undefined }));
    const options = { scorers: ['exact-match'], sample: 5, reference: 'sql' };
    expect(resolving({ ...measured, evaluate: options })).toThrow('evaluate.sample: expected none beside reference');
  });
});

describe('gates of a plan of own stages', () => {
  const stages = [
    { id: 'rows', uses: 'import', with: { dataset: '/rows.jsonl' } },
    { id: 'model', uses: 'import-model', with: { model: '/s' } },
    { id: 'evaluate', uses: 'evaluate', needs: ['rows', 'model'], with: { scorers: ['exact-match'] } },
    { id: 'gate', uses: 'gate', needs: ['model', 'evaluate'], inputs: { candidate: 'evaluate.scores' } },
  ];
  const own = (gates: readonly object[]) => resolving({ name: 'nightly', store: 'file:///store', gates, stages });

  it('are refused where a model that they compare with is not measured', () => {
    expect(own([{ ...floor, of: 'base' }])).toThrow(/^stages\[3\]\.inputs: expected the input base, found none$/);
    expect(own([{ score: 'exact-match', notWorseThan: 'champion' }])).not.toThrow();
  });

  it('are refused where they ask for what the evaluation does not score', () => {
    expect(own([floor, { score: 'sql-execution', atLeast: 0.5 }])).toThrow(
      'gates: expected scores of the evaluation (exact-match), not sql-execution',
    );
    expect(resolving({ ...measured, evaluate: { scorers: ['sql-execution'], database: '/shop.db' } })).toThrow(
      /^gates: expected scores of the evaluation \(sql-execution\), not exact-match/,
    );
  });
});

describe('what serves when a plan is resolved', () => {
  const gates = [{ score: 'exact-match', notWorseThan: 'champion' }];
  const { plan } = resolvePlan({ ...measured, gates }, rules);
  const digest = digestOf('model');
  const model = { kind: 'model', digest, uri: 'file:///store/model', bytes: 1, indexBytes: 1 };
  const promotion = { name: 'nightly', alias: 'champion', model, expected: null, reason: 'by hand', operationId: '1' };

  it('is measured as the student is, and told to the gate', async () => {
    const store = await openObjectStore(`file://${temporaryDirectory()}`, { forWriting: true });
    try {
      expect(asksForChampion(plan, kinds)).toBe(true);
      const before = await placeChampion(plan, kinds, store);
      expect(before.nodes.map(({ id }) => id)).toEqual(plan.nodes.map(({ id }) => id));
      expect(before.nodes.at(-2)?.with).toMatchObject({ champion: null });
      await promote(store, promotion);
      const { nodes } = await placeChampion(plan, kinds, store);
      const [champion, gate] = nodes.slice(-3);
      const candidate = plan.nodes.find(({ id }) => id === 'evaluate');
      expect(champion).toMatchObject({
        id: 'evaluate-champion',
        with: candidate?.with,
        needs: ['evaluation', 'teacher'],
        artifacts: { model },
      });
      expect(gate).toMatchObject({
        with: { champion: { counter: 1, digest } },
        inputs: { champion: { node: 'evaluate-champion', output: 'scores' } },
      });
      expect(gate?.needs).toContain('evaluate-champion');
    } finally {
      await store.close();
    }
  });

  it('is none where nobody has written to the store, and nobody may say that it is another', async () => {
    expect((await placeChampion(plan, kinds, undefined)).nodes).toHaveLength(plan.nodes.length);
    const stages = [{ id: 'gate', uses: 'gate', with: { champion: { counter: 1, digest } } }];
    expect(resolving({ name: 'nightly', store: 'file:///store', gates, stages })).toThrow('stages[0].with.champion');
  });
});

describe('the key', () => {
  it('of a gate depends on what serves, and on the execution that was observed', async () => {
    const keyOf = async (champion: object | null, candidate: string): Promise<string> =>
      (
        await identifyStage(gateStage.kind, {
          with: { gates: [floor], name: 'nightly', alias: 'champion', champion: champion as null },
          inputs: {},
          makers: { candidate },
        })
      ).stageKey;
    const keys = [await keyOf(null, 'a'), await keyOf({ counter: 1 }, 'a'), await keyOf(null, 'b')];
    expect(new Set(keys).size).toBe(3);
    expect(await keyOf(null, 'a')).toBe(keys[0]);
  });

  it('of a promotion is one of its own in every run', async () => {
    const keyOf = async (runId: string): Promise<string> =>
      (await identifyStage(promoteStage.kind, { with: {}, inputs: {}, runId })).stageKey;
    expect(await keyOf('one')).not.toBe(await keyOf('two'));
    expect(await keyOf('one')).toBe(await keyOf('one'));
  });
});

import { resolvePlan } from '../../../activities/resolve-plan.js';
import { identifyStage } from '../../../activities/stage-key.js';
import { explainDifference } from '../../../config/explain-difference.js';
import type { NodeInput, PlanNode } from '../../../config/plan.js';
import { builtInStages } from '../../../plugins/built-in-stages.js';
import { distillStage } from '../../../plugins/distill-stage.js';
import { importStage } from '../../../plugins/import-stage.js';

const rules = { kinds: builtInStages.map(({ kind }) => kind), queuePrefix: 'night' };
const numerics = { runner: 'tensorflow', tensorflow: '2.21.0', xla: false, precision: 'float32', threads: 2 };

const importing = { id: 'import', uses: 'import', with: { dataset: '/data/rows.jsonl' } };
const file = (...stages: readonly unknown[]) => ({ name: 'nightly', store: 'file:///store', stages });
const standard = { name: 'nightly', store: 'file:///store', teacher: '/t', student: '/s', dataset: '/rows.jsonl' };
const nodesOf = (content: unknown) => resolvePlan(content, rules).plan.nodes;
const nodeOf = (content: unknown, id: string) => nodesOf(content).find((node) => node.id === id);

describe('a plan file', () => {
  it('becomes nodes that name everything the workflow needs', () => {
    const stage = { ...importing, timeouts: { heartbeatMs: 2000 }, retry: { initialIntervalMs: 200 } };
    expect(resolvePlan(file(stage), rules).plan).toEqual({
      name: 'nightly',
      store: 'file:///store',
      onFailure: 'fail-fast',
      nodes: [
        {
          id: 'import',
          uses: 'import',
          needs: [],
          inputs: {},
          with: { dataset: 'file:///data/rows.jsonl', shardBytes: 8388608 },
          activity: 'nightstill.import',
          queue: 'night-io',
          timeouts: { startToCloseMs: 86_400_000, heartbeatMs: 2000 },
          retry: { initialIntervalMs: 200, backoffCoefficient: 5, maximumIntervalMs: 300_000 },
        },
      ],
    });
  });

  it('has the same digest whatever the order of its keys', () => {
    const { planDigest } = resolvePlan(file(importing), rules);
    const { stages, store, name } = file(importing);
    expect(resolvePlan({ stages, store, name }, rules).planDigest).toBe(planDigest);
    expect(resolvePlan({ stages, store, name: 'other' }, rules).planDigest).not.toBe(planDigest);
  });

  it('without stages is the standard plan, from dataset to distilled student', () => {
    const needs = (content: unknown) => Object.fromEntries(nodesOf(content).map((node) => [node.id, node.needs]));
    expect(needs({ ...standard, evaluation: '/held-out.jsonl' })).toEqual({
      import: [],
      evaluation: [],
      teacher: [],
      student: [],
      'fine-tune': ['import', 'student', 'evaluation'],
      distill: ['import', 'teacher', 'fine-tune', 'evaluation'],
    });
    const cut = { ...standard, student: { layers: { every: 2 } } };
    expect(needs(cut)).toMatchObject({ 'fine-tune': ['import', 'teacher'] });
    expect(nodeOf(cut, 'fine-tune')?.with['start']).toEqual({ layers: { every: 2 } });
    expect(nodeOf(standard, 'distill')?.inputs).toEqual({
      dataset: { node: 'import', output: 'dataset' },
      teacher: { node: 'teacher', output: 'model' },
      model: { node: 'fine-tune', output: 'model' },
    });
  });

  it('has a teacher that lies in a directory answer the prompts first, where the file says so', () => {
    const teacher = { model: '/t', terms: { licence: 'MIT', allowsTraining: 'yes' } };
    const content = { ...standard, teacher, answer: { maximumTokens: 20, sequences: 4 }, capture: {} };
    expect(nodesOf(content).map(({ id, needs }) => [id, needs])).toEqual([
      ['import', []],
      ['teacher', []],
      ['student', []],
      ['answer', ['import', 'teacher']],
      ['fine-tune', ['answer', 'student']],
      ['capture', ['answer', 'teacher', 'student']],
      ['distill', ['answer', 'capture', 'fine-tune']],
    ]);
    const answer = nodeOf(content, 'answer');
    expect(answer).toMatchObject({ queue: 'night-gpu', numerics, with: { maximumTokens: 20, sequences: 4 } });
    expect(answer?.inputs).toEqual({
      dataset: { node: 'import', output: 'dataset' },
      teacher: { node: 'teacher', output: 'model' },
    });
    for (const id of ['fine-tune', 'capture', 'distill'])
      expect(nodeOf(content, id)?.inputs['dataset']).toEqual({ node: 'answer', output: 'dataset' });
  });

  it('asks canaries where the teacher has some, and waits for them only where drift asks everything anew', () => {
    const endpoint = {
      endpoint: 'https://host/v1',
      model: 'large',
      revision: '1',
      terms: { licence: 'MIT', allowsTraining: 'yes' },
    };
    const needs = (canary?: object) =>
      Object.fromEntries(
        nodesOf({ ...standard, teacher: { ...endpoint, ...(canary && { canary }) } }).map((node) => [
          node.id,
          node.needs,
        ]),
      );
    expect(needs()).not.toHaveProperty('canary');
    expect(needs({ prompts: ['Who are you?'] })).toMatchObject({ canary: [], answer: ['import'] });
    const watched = { prompts: ['Who are you?'], onDrift: 'ask-again' };
    expect(needs(watched)).toMatchObject({ canary: [], answer: ['import', 'canary'] });
    const content = { ...standard, teacher: { ...endpoint, canary: watched } };
    const identity = { node: 'canary', output: 'identity' };
    expect(nodeOf(content, 'answer')?.inputs).toMatchObject({ identity });
    const captured = nodeOf({ ...content, capture: {} }, 'capture');
    expect(captured).toMatchObject({ needs: ['answer', 'student', 'canary'], inputs: { identity } });
  });

  it('captures the teacher beside the fine-tune when it says how, with the tokens and the temperature of the distillation', () => {
    const content = { ...standard, capture: { k: 5 }, distill: { temperature: 3, rowTokens: 64, answers: 'last' } };
    expect(nodesOf(content).map(({ id, needs }) => [id, needs])).toEqual([
      ['import', []],
      ['teacher', []],
      ['student', []],
      ['fine-tune', ['import', 'student']],
      ['capture', ['import', 'teacher', 'student']],
      ['distill', ['import', 'capture', 'fine-tune']],
    ]);
    const capture = nodeOf(content, 'capture');
    expect(capture).toMatchObject({ queue: 'night-gpu', numerics, activity: 'nightstill.capture' });
    expect(capture?.with).toMatchObject({
      k: 5,
      temperatures: [3],
      rowTokens: 64,
      tooLong: 'truncate',
      answers: 'last',
    });
    expect(capture?.inputs).toMatchObject({ student: { node: 'student' }, teacher: { node: 'teacher' } });
    expect(nodeOf(content, 'distill')?.inputs).toMatchObject({ logits: { node: 'capture', output: 'logits' } });
    const cut = { ...content, student: { layers: { every: 2 } } };
    expect(nodeOf(cut, 'capture')?.needs).toEqual(['import', 'teacher']);
  });

  it.each([
    [{ rowTokens: 64 }, {}, 'distill.rowTokens: expected 64, as the logits are captured with, found 512'],
    [{ tooLong: 'split' }, {}, 'distill.tooLong: expected "split", as the logits are captured with, found "truncate"'],
    [{ temperatures: [1, 3] }, {}, 'distill.temperature: expected one that is captured: 1, 3, found 2'],
  ])('refuses a distillation that could not find what is captured: %j', (capture, distill, message) => {
    expect(() => nodesOf({ ...standard, capture, distill })).toThrow(message);
  });

  it.each([
    ['the teacher beside it', {}],
    ['captured logits', { capture: {} }],
  ])('trains a control on demand that differs from the distillation in α alone: %s', async (_, capture) => {
    const options = { steps: 50, seed: 7, schedule: 'linear', temperature: 3, crossEntropyShare: 0.3 };
    const content = { ...standard, ...capture, distill: options, control: true, evaluation: '/held-out.jsonl' };
    const [distill, control] = [nodeOf(content, 'distill'), nodeOf(content, 'control')];
    expect(control).toEqual({ ...distill, id: 'control', with: { ...distill?.with, crossEntropyShare: 1 } });

    // What decides the bits of the two says the same: the same start, data, order, steps, schedule and seed.
    const digests = Object.entries(distill?.inputs ?? {}).map(([name, { node }]) => [name, { digest: node }]);
    const inputs = Object.fromEntries(digests) as NodeInput['inputs'];
    const [kd, ce] = await Promise.all(
      [distill, control].map((node) => identifyStage(distillStage.kind, { ...(node as PlanNode), inputs })),
    );
    expect(explainDifference(kd?.preimage ?? {}, ce?.preimage ?? {})).toEqual(['crossEntropyShare: 0.3 → 1']);
    expect(nodeOf({ ...content, control: undefined }, 'control')).toBeUndefined();
  });

  it('whose teacher is an endpoint captures it when it says so: over its answers, and learned at temperature 1', () => {
    const terms = { licence: 'MIT', allowsTraining: 'yes' };
    const teacher = { endpoint: 'https://host/v1', model: 'large', revision: '1', terms };
    const content = { ...standard, teacher, capture: { k: 5 }, distill: { rowTokens: 64 }, control: true };
    expect(nodesOf(content).map(({ id, uses, needs }) => [id, uses, needs])).toEqual([
      ['import', 'import', []],
      ['student', 'import-model', []],
      ['answer', 'answer', ['import']],
      ['fine-tune', 'fine-tune', ['answer', 'student']],
      ['capture', 'capture-endpoint', ['answer', 'student']],
      ['distill', 'distill', ['capture', 'fine-tune']],
      ['control', 'distill', ['capture', 'fine-tune']],
    ]);
    expect(nodeOf(content, 'capture')).toMatchObject({
      queue: expect.stringMatching(/-io$/),
      inputs: { dataset: { node: 'answer', output: 'dataset' }, student: { node: 'student', output: 'model' } },
      with: { k: 5, rowTokens: 64, temperatures: [1], form: 'prompt_logprobs' },
    });
    expect(nodeOf(content, 'capture')?.numerics).toBeUndefined();
    expect(nodeOf(content, 'distill')).toMatchObject({
      inputs: { dataset: { node: 'capture', output: 'dataset' }, logits: { node: 'capture', output: 'logits' } },
      with: { temperature: 1 },
    });
  });

  it('whose teacher is an endpoint has it answer the prompts, and the student learns its answers', () => {
    const terms = { licence: 'MIT', allowsTraining: { approvedBy: 'legal' } };
    const prices = { inputUsdPerMillion: 1, outputUsdPerMillion: 2, asOf: '2026-11-27' };
    const teacher = { endpoint: 'https://host/v1/', model: 'large', revision: '1', terms, prices };
    const budget = { spendAtMostUsd: 5 };
    const content = { ...standard, teacher, budget, evaluation: '/e.jsonl', answer: { temperature: 1, samples: 2 } };
    expect(nodesOf(content).map(({ id, needs, inputs }) => [id, needs, inputs])).toEqual([
      ['import', [], {}],
      ['evaluation', [], {}],
      ['student', [], {}],
      ['answer', ['import'], { dataset: { node: 'import', output: 'dataset' } }],
      [
        'fine-tune',
        ['answer', 'student', 'evaluation'],
        {
          dataset: { node: 'answer', output: 'dataset' },
          model: { node: 'student', output: 'model' },
          heldOut: { node: 'evaluation', output: 'dataset' },
        },
      ],
    ]);
    const limits = { parallel: 8, timeout: 120_000, attempts: 6 };
    expect(nodeOf(content, 'answer')).toMatchObject({
      queue: 'night-io',
      with: { teacher: { ...teacher, endpoint: 'https://host/v1', limits }, budget, samples: 2, minimumYield: 0.9 },
    });
  });

  it('sets the options of the standard stages in sections of their names', () => {
    const content = {
      ...standard,
      'fine-tune': { epochs: 2, learningRate: 1e-3 },
      distill: { temperature: 3, crossEntropyShare: 0.1 },
      loseAtMost: '90s',
    };
    expect(nodeOf(content, 'fine-tune')?.with).toMatchObject({ epochs: 2, learningRate: 1e-3, loseAtMost: 90_000 });
    expect(nodeOf(content, 'distill')?.with).toMatchObject({ temperature: 3, crossEntropyShare: 0.1, epochs: 3 });
  });

  it('gives its numerics to what computes, and to nothing else', () => {
    expect(nodesOf(standard).map((node) => [node.id, node.numerics])).toEqual([
      ['import', undefined],
      ['teacher', undefined],
      ['student', undefined],
      ['fine-tune', numerics],
      ['distill', numerics],
    ]);
    const wasm = nodeOf({ ...standard, numerics: { runner: 'wasm', threads: 1 } }, 'distill');
    expect(wasm?.numerics).toEqual({ ...numerics, runner: 'wasm', tensorflow: null, threads: 1 });
  });

  it('may say when it is scheduled: a run ignores it', () => {
    const schedule = { cron: ['0 3 * * mon-fri', '*/15 0-6/2 1,15 jan *'], timeZone: 'Europe/Berlin', jitter: '10m' };
    expect(nodesOf({ ...standard, schedule })).toEqual(nodesOf(standard));
    expect(nodesOf({ ...standard, schedule: { calendar: { hour: 3, dayOfWeek: ['monday'] } } })).toHaveLength(5);
  });

  it('may have gates and a budget when a stage of it carries them out', () => {
    const kinds = [{ ...importStage.kind, applies: ['gates', 'budget'] as const }];
    const content = {
      ...file(importing),
      gates: [{ score: 'exact-match', atLeast: 0.5 }],
      budget: { spendAtMostUsd: 5 },
    };
    expect(resolvePlan(content, { ...rules, kinds }).plan.nodes).toHaveLength(1);
  });

  it('needs a stage once, also where it says so twice', () => {
    const twice = file(importing, { ...importing, id: 'again', needs: ['import', 'import'] });
    expect(nodeOf(twice, 'again')?.needs).toEqual(['import']);
  });
});

describe('inputs of which one is needed', () => {
  const model = { id: 'model', uses: 'import-model', with: { model: '/model' } };
  const taught = (stage: object) =>
    file(importing, model, { id: 'learn', needs: ['import', 'model'], inputs: { model: 'model.model' }, ...stage });
  const teacher = { inputs: { model: 'model.model', teacher: 'model.model' } };

  it.each([
    ['a student without weights to begin with', { uses: 'fine-tune', inputs: {} }, 'the input model, found none'],
    ['layers of no teacher', { uses: 'fine-tune', with: { start: { layers: [0] } } }, 'the input teacher, found none'],
    ['a distillation without a teacher', { uses: 'distill' }, 'one of the inputs teacher and logits, found none'],
  ])('%s is refused before anything runs', (_, stage, said) => {
    expect(() => nodesOf(taught(stage))).toThrow(`stages[2].inputs: expected ${said}`);
  });

  it('may depend on the options', () => {
    expect(nodesOf(taught({ uses: 'distill', ...teacher }))).toHaveLength(3);
    expect(nodesOf(taught({ uses: 'fine-tune', with: { start: { random: {} } } }))).toHaveLength(3);
  });
});

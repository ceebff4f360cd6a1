import fc from 'fast-check';
import { resolvePlan } from '../../../activities/resolve-plan.js';
import { identifyStage } from '../../../activities/stage-key.js';
import type { JsonObject } from '../../../config/json.js';
import type { PlanNode } from '../../../config/plan.js';
import { builtInStages } from '../../../plugins/built-in-stages.js';

const rules = { kinds: builtInStages.map(({ kind }) => kind), queuePrefix: 'night' };
const kindOf = (uses: string) => {
  const kind = rules.kinds.find((candidate) => candidate.kind === uses);
  if (!kind) throw new Error('expected a kind');
  return kind;
};

/** Stands for whatever the node takes: its content, not the node it comes from. */
const artifact = (content: string) => ({ kind: 'any', digest: `sha256:${content}`, uri: '', bytes: 1, indexBytes: 1 });

async function keyOf(node: PlanNode, inputs: readonly string[] = Object.keys(node.inputs)): Promise<string> {
  const kind = kindOf(node.uses);
  const taken = Object.fromEntries(inputs.map((name) => [name, artifact(name)]));
  return (await identifyStage(kind, { with: node.with, numerics: node.numerics, inputs: taken })).stageKey;
}

interface Names {
  readonly rows: string;
  readonly model: string;
  readonly tune: string;
}

const planOf = ({ rows, model, tune }: Names, options: JsonObject, top: JsonObject = {}): JsonObject => ({
  name: 'nightly',
  store: 'file:///store',
  ...top,
  stages: [
    { id: rows, uses: 'import', with: { dataset: '/rows.jsonl' } },
    { id: model, uses: 'import-model', with: { model: '/model' } },
    { id: tune, uses: 'fine-tune', needs: [rows, model], inputs: { model: `${model}.model` }, with: options },
  ],
});

const names: Names = { rows: 'rows', model: 'model', tune: 'tune' };

async function tuningKey(content: JsonObject): Promise<string> {
  const node = resolvePlan(content, rules).plan.nodes.at(-1);
  if (!node) throw new Error('expected a node');
  return keyOf(node);
}

const options = fc.record(
  {
    epochs: fc.integer({ min: 1, max: 9 }),
    learningRate: fc.double({ min: 1e-6, max: 1e-2, noNaN: true }),
    schedule: fc.constantFrom('constant', 'linear', 'cosine'),
    recompute: fc.boolean(),
    seed: fc.integer({ min: 0, max: 5 }),
    start: fc.constantFrom('given', { random: {} }, { random: { standardDeviation: 0.02 } }),
  },
  { requiredKeys: [] },
);

/** The same value with its keys, at every level, in the opposite order. */
const reversed = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(reversed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, member]) => [key, reversed(member)]),
  );
};

describe('a stage key', () => {
  it('is the same for the same file, however its keys are ordered and its nodes named', () =>
    fc.assert(
      fc.asyncProperty(options, async (given) => {
        const key = await tuningKey(planOf(names, given));
        expect(key).toMatch(/^[0-9a-f]{64}$/);
        expect(resolvePlan(planOf(names, given), rules)).toEqual(resolvePlan(reversed(planOf(names, given)), rules));
        expect(await tuningKey(reversed(planOf(names, given)) as JsonObject)).toBe(key);
        expect(await tuningKey(planOf({ rows: 'a', model: 'b', tune: 'c.d' }, given))).toBe(key);
      }),
    ));

  it.each(['fine-tune', 'distill'])('of %s does not change when every default is written out', async (uses) => {
    const kind = kindOf(uses);
    const node = { uses, inputs: {}, numerics: undefined };
    const silent = kind.options.parse({});
    expect(Object.keys(kind.defaults).length).toBeGreaterThan(20);
    const written = kind.options.parse(kind.defaults);
    expect(await keyOf({ ...node, with: written } as unknown as PlanNode)).toBe(
      await keyOf({ ...node, with: silent } as unknown as PlanNode),
    );
  });

  it('changes with what the result depends on, and with nothing else', async () => {
    const key = await tuningKey(planOf(names, {}));
    const same = [
      planOf(names, { epochs: 3 }),
      planOf(names, { loseAtMost: '1s', onDifferentMachine: 'wait' }),
      planOf(names, {}, { loseAtMost: '1s', onFailure: 'finish-others', numerics: { threads: 2 } }),
    ];
    const other = [
      planOf(names, { epochs: 4 }),
      planOf(names, { seed: 1 }),
      planOf(names, {}, { numerics: { threads: 3 } }),
      planOf(names, {}, { numerics: { runner: 'wasm' } }),
    ];
    for (const content of same) expect(await tuningKey(content)).toBe(key);
    const keys = await Promise.all(other.map(tuningKey));
    expect(new Set([key, ...keys]).size).toBe(other.length + 1);
  });

  it('of answers covers who answers what, and neither its price nor its pace', async () => {
    const kind = kindOf('answer');
    const terms = { licence: 'MIT', allowsTraining: 'yes' };
    const teacher = { endpoint: 'https://host/v1', model: 'large', revision: '1', terms };
    const prices = { inputUsdPerMillion: 1, outputUsdPerMillion: 2, asOf: '2026-11-27' };
    const key = async (given: JsonObject, asked: JsonObject = {}): Promise<string> => {
      const parsed = kind.options.parse({ teacher: { ...teacher, ...given }, ...asked });
      return (await identifyStage(kind, { with: parsed, inputs: { dataset: artifact('a') } })).stageKey;
    };
    const same = [
      key({ prices }, { budget: { spendAtMostUsd: 1 }, temperature: 0 }),
      key({ limits: { parallel: 1, timeout: '5s' }, apiKey: 'other', endpoint: 'https://host/v1/' }),
      key({ terms: { licence: 'other', allowsTraining: { approvedBy: 'legal' } } }),
      key({ omittedFields: [] }),
    ];
    const other = [
      key({ model: 'small' }),
      key({ revision: '2' }),
      key({ endpoint: 'https://other/v1' }),
      key({ tokenLimitField: 'max_completion_tokens' }),
      key({ omittedFields: ['temperature'] }),
      key({ omittedFields: ['temperature', 'top_p'] }),
      // They differ although no temperature is sent.
      key({ omittedFields: ['temperature'] }, { samples: 2 }),
      key({}, { temperature: 1 }),
      key({}, { maximumTokens: 5 }),
      key({}, { seed: 1 }),
      key({}, { system: 'Be brief.' }),
      key({}, { keep: ['cut-off'] }),
      // It decides whether the stage has a result at all.
      key({}, { minimumYield: 0.5 }),
    ];
    expect(new Set(await Promise.all([key({}), ...same])).size).toBe(1);
    expect(new Set(await Promise.all([key({}), ...other])).size).toBe(other.length + 1);
    expect(await key({ omittedFields: ['seed', 'top_p'] })).toBe(await key({ omittedFields: ['top_p', 'seed'] }));
  });

  it('changes with an input, and with the version of the stage', async () => {
    const kind = kindOf('distill');
    const node = { with: kind.options.parse({}), inputs: { dataset: artifact('a') } };
    const keys = await Promise.all([
      identifyStage(kind, node),
      identifyStage(kind, { ...node, inputs: { dataset: artifact('b') } }),
      identifyStage(kind, { ...node, inputs: { dataset: artifact('a'), heldOut: artifact('b') } }),
      identifyStage({ ...kind, version: kind.version + 1 }, node),
      identifyStage({ ...kind, kind: 'other' }, node),
    ]);
    expect(new Set(keys.map(({ stageKey }) => stageKey)).size).toBe(5);
  });
});

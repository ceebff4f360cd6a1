/** The stage evaluate in its process: what it scores is what the model says, the same every time. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Progress } from '../../../config/child-protocol.js';
import { parseLines, type ItemResult } from '../../../evaluation/evaluate/item-result.js';
import { readArtifact, readBlob, type ArtifactRef, type StageResult } from '../../../storage/index.js';
import { conversationLines, copyModel } from '../../support/model-fixtures.js';
import { temporaryDirectory } from '../../support/temporary.js';
import { graph, TrainingGround, wasm } from '../../support/training-stage.js';

let ground: TrainingGround;
let first: StageResult;
/** What the small model says of the dataset. */
let whole: ItemResult[];
beforeAll(async () => {
  ground = await TrainingGround.create();
  first = await evaluation('first', ground.dataset);
  whole = await resultsOf(first);
});

const evaluation = (name: string, dataset: ArtifactRef, options: object = {}, numerics = wasm): Promise<StageResult> =>
  ground.train({
    name: `evaluate ${name}`,
    uses: 'evaluate',
    numerics,
    with: { scorers: ['exact-match'], ...options },
    inputs: { dataset, model: ground.small },
  });

const scoresOf = ({ outcome: { outputs } }: StageResult): ArtifactRef => outputs['scores']!;

async function resultsOf(result: StageResult): Promise<ItemResult[]> {
  const { parts } = await readArtifact(ground.store, scoresOf(result));
  return (await Promise.all(parts.map((part) => readBlob(ground.store, part)))).flatMap((part) => parseLines(part));
}

/** What the model says, with these references in place of what the set has. */
function rowsWith(results: readonly ItemResult[], referenceOf: (result: ItemResult, at: number) => string): string {
  const rows = conversationLines(results.length).trimEnd().split('\n');
  return rows
    .map((line, at) => {
      const { id, messages } = JSON.parse(line) as { readonly id: string; readonly messages: readonly object[] };
      const answer = referenceOf(results[at]!, at);
      return `${JSON.stringify({ id, messages: messages.slice(0, 1), extra: { answer } })}\n`;
    })
    .join('');
}

test('a model is right where the reference is what it says, and the same evaluation comes to the same digest', async () => {
  expect(whole.map(({ id }) => id)).toEqual(Array.from({ length: 40 }, (_, row) => `row-${row}`));
  const again = await evaluation('again', ground.dataset);
  expect(scoresOf(again)).toEqual(scoresOf(first));
  expect(again.outcome.facts).toEqual(first.outcome.facts);
  expect(again.outcome.reproducible).toBe(true);

  const half = await ground.storeConversations(
    rowsWith(whole, ({ text }, at) => (at % 2 === 0 ? text : 'something else')),
  );
  const judged = await evaluation('half', half, { reference: 'answer' });
  expect(judged.outcome.facts).toMatchObject({
    items: 40,
    scores: { 'exact-match': { mean: 0.5, right: 20, interval: { level: 0.95 } } },
    scoresDigest: scoresOf(judged).digest,
  });
  expect((await resultsOf(judged)).map(({ text }) => text)).toEqual(whole.map(({ text }) => text));
  expect(judged.outcome.observations).toMatchObject({
    requests: 40,
    sideBySide: 8,
    latencyP50Ms: expect.any(Number) as number,
    latencyP95Ms: expect.any(Number) as number,
    weightBytes: expect.any(Number) as number,
    peakMemoryBytes: expect.any(Number) as number,
  });
});

test('an answer has the same bits whatever is beside it, and a limit and a stop text cut it', async () => {
  const fewer = conversationLines(3);
  const three = await resultsOf(await evaluation('three', await ground.storeConversations(fewer)));
  expect(three.map(({ text }) => text)).toEqual(whole.slice(0, 3).map(({ text }) => text));
  const short = await evaluation('short', ground.dataset, { maximumTokens: 2 });
  expect(short.outcome.facts).toMatchObject({ finish: { 'prompt-too-long': 0 } });
  for (const [at, { text, generatedTokens }] of (await resultsOf(short)).entries()) {
    expect(generatedTokens).toBeLessThanOrEqual(2);
    expect(whole[at]!.text.startsWith(text.replace(/\uFFFD+$/, ''))).toBe(true);
  }
  const spoken = whole.find(({ text }) => text.length > 2)!;
  const [character = ''] = spoken.text.slice(1);
  const stopped = await resultsOf(await evaluation('stopped', ground.dataset, { stop: [character] }));
  expect(stopped.every(({ text }) => !text.includes(character))).toBe(true);
  expect(stopped.find(({ id }) => id === spoken.id)?.finish).toBe('stop-string');
});

test('what a model asks of its generation and does not get is observed, of answers too', async () => {
  const directory = await copyModel('qwen3-qknorm', temporaryDirectory());
  await writeFile(join(directory, 'generation_config.json'), '{"repetition_penalty": 1.1, "pad_token_id": 0}');
  const model = await ground.storeModel(directory);
  const dataset = await ground.storeConversations(conversationLines(2));
  const asked = { numerics: wasm, with: {} };
  const { outcome } = await ground.train({
    ...asked,
    name: 'evaluate penalised',
    uses: 'evaluate',
    with: { scorers: ['exact-match'] },
    inputs: { dataset, model },
  });
  const answered = await ground.train({
    ...asked,
    name: 'answer penalised',
    uses: 'answer',
    inputs: { dataset, teacher: model },
  });
  for (const { observations } of [outcome, answered.outcome])
    expect(observations).toMatchObject({ unheededSettings: ['repetition_penalty 1.1'] });
  expect(first.outcome.observations).not.toHaveProperty('unheededSettings');
});

test('prompts without room are counted, and none is asked', async () => {
  const { outcome } = await evaluation('no room', ground.dataset, { context: 8 });
  expect(outcome.facts).toMatchObject({
    finish: { 'prompt-too-long': 40 },
    generatedTokens: 0,
    scores: { 'exact-match': { mean: 0, right: 0 } },
  });
  expect(outcome.observations).toMatchObject({ requests: 0, tokensPerSecond: 0 });
  expect(outcome.observations).not.toHaveProperty('latencyP95Ms');
});

test('on TensorFlow too, two evaluations come to one digest', async () => {
  const [one, other] = [
    await evaluation('one on TensorFlow', ground.dataset, {}, graph),
    await evaluation('other on TensorFlow', ground.dataset, {}, graph),
  ];
  expect(scoresOf(one).digest).toBe(scoresOf(other).digest);
});

test('a sample asks the same rows of a training every time, and counts the answers that the model gives word for word', async () => {
  const taught = rowsWith(whole, () => '')
    .trimEnd()
    .split('\n');
  const rows = taught.map((line, at) => {
    const { id, messages } = JSON.parse(line) as { readonly id: string; readonly messages: readonly object[] };
    const content = at % 4 === 0 ? 'something else' : whole[at]!.text;
    return `${JSON.stringify({ id, messages: [...messages, { role: 'assistant', content }] })}\n`;
  });
  const [dataset, turned] = [
    await ground.storeConversations(rows.join('')),
    await ground.storeConversations(rows.toReversed().join('')),
  ];
  const [one, other] = [
    await evaluation('sample', dataset, { sample: 12 }),
    await evaluation('sample of the rows turned round', turned, { sample: 12 }),
  ];
  const results = await resultsOf(one);
  expect(results).toHaveLength(12);
  expect(scoresOf(other).digest).toBe(scoresOf(one).digest);
  const right = results.filter(({ id }) => Number(id.replace('row-', '')) % 4 !== 0).length;
  expect(one.outcome.facts).toMatchObject({ items: 12, sample: 12, scores: { 'exact-match': { right } } });
});

test('a set with a row that has no reference is refused, and the row is named', async () => {
  const rows = `${conversationLines(2)}${JSON.stringify({ id: 'bare', messages: [{ role: 'user', content: 'Why?' }] })}\n`;
  const dataset = await ground.storeConversations(rows);
  await expect(evaluation('bare', dataset)).rejects.toMatchObject({
    code: 'evaluation-invalid',
    fault: 'user',
    message: expect.stringContaining('row "bare"') as string,
  });
});

describe('with a teacher', () => {
  const compared = (
    name: string,
    teacher: ArtifactRef,
    onProgress?: (progress: Progress) => void,
    signal?: AbortSignal,
  ) =>
    ground.train(
      {
        name: `evaluate ${name}`,
        uses: 'evaluate',
        numerics: wasm,
        with: { scorers: ['exact-match'] },
        inputs: { dataset: ground.dataset, model: ground.small, teacher },
      },
      { ...(onProgress && { onProgress }), ...(signal && { signal }) },
    );

  test('the distance on the references is a fact with an interval, item by item, and none from itself', async () => {
    const { outcome } = await compared('other', ground.large);
    const { forwardKl } = outcome.facts as { readonly forwardKl: Record<string, unknown> };
    expect(forwardKl).toMatchObject({ text: 'references', items: 40, unmeasured: 0, interval: { level: 0.95 } });
    const { mean, interval } = forwardKl as { mean: number; interval: { lower: number; upper: number } };
    expect(interval.lower).toBeGreaterThan(0.001);
    expect(interval.lower).toBeLessThan(mean);
    expect(interval.upper).toBeGreaterThan(mean);
    const results = await resultsOf({ outcome } as StageResult);
    const means = results.map(({ divergence }) => divergence!.sum / divergence!.tokens);
    expect(means.reduce((sum, value) => sum + value, 0) / 40).toBeCloseTo(mean, 12);
    // Each repetition of a word in the references adds tokens, and the prompts add none.
    expect(results[3]!.divergence!.tokens).toBeGreaterThan(results[0]!.divergence!.tokens);
    // What the answers are does not depend on who is compared with.
    expect(results.map(({ text }) => text)).toEqual(whole.map(({ text }) => text));

    const itself = (await compared('itself', ground.small)).outcome.facts as { readonly forwardKl: { mean: number } };
    expect(Math.abs(itself.forwardKl.mean)).toBeLessThan(1e-6);
  });

  test('a comparison that is stopped goes on and comes to the same artifact', async () => {
    const abort = new AbortController();
    const stop = ({ phase }: Progress): void => {
      if (phase === 'diverge') abort.abort(Object.assign(new Error('stop'), { code: 'stopped' }));
    };
    const end = await compared('cut off', ground.large, stop, abort.signal).then(
      () => undefined,
      ({ code }: { readonly code?: string }) => code,
    );
    // On a fast machine it may be done before it is stopped.
    expect(['stopped', undefined]).toContain(end);
    const [undisturbed, resumed] = [await compared('other', ground.large), await compared('cut off', ground.large)];
    expect(scoresOf(resumed).digest).toBe(scoresOf(undisturbed).digest);
    expect(resumed.outcome.facts).toEqual(undisturbed.outcome.facts);
  });

  test('that reads text otherwise there is no number, and the reason is told', async () => {
    const directory = await copyModel('qwen2-gqa-tied', temporaryDirectory());
    const path = join(directory, 'tokenizer.json');
    const tokenizer = JSON.parse(await readFile(path, 'utf8')) as { model: { merges: unknown[] } };
    tokenizer.model.merges.pop();
    await writeFile(path, JSON.stringify(tokenizer));
    const { outcome } = await compared('strange', await ground.storeModel(directory));
    expect(outcome.facts).toMatchObject({ forwardKl: { notComparable: 'tokenizers-differ' } });
    expect((await resultsOf({ outcome } as StageResult))[0]).not.toHaveProperty('divergence');
  });
});

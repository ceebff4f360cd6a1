/** The stage capture in its process: what it keeps is what the teacher says, about the tokens and the ids of the student. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fetchModel } from '../../../distillation/index.js';
import { openLogits } from '../../../distillation/logits/index.js';
import { openTokens } from '../../../distillation/training/token-cache.js';
import { createConversationEncoder, openChatTemplate, openTokenizer } from '../../../engine/index.js';
import { readModelConfig } from '../../../engine/files/model-config.js';
import { openModelDirectory, writeModelDirectory } from '../../../engine/files/model-directory.js';
import { capturedOf } from '../../../evaluation/report/index.js';
import { readArtifact, readBlob, type ArtifactRef, type JsonObject, type StageResult } from '../../../storage/index.js';
import { conversationLines, copyModel } from '../../support/model-fixtures.js';
import { temporaryDirectory } from '../../support/temporary.js';
import { graph, TrainingGround, wasm, type TrainingTask } from '../../support/training-stage.js';

const rowTokens = 64;
const everyId = 1024;
let ground: TrainingGround;
/** All that the large model says of the dataset, in full precision. */
let whole: StageResult;
beforeAll(async () => {
  ground = await TrainingGround.create();
  whole = await captureOf('all', { k: everyId, valueType: 'float32' });
});

const captureOf = (name: string, options: object, inputs: TrainingTask['inputs'] = {}, numerics = graph) =>
  ground.train({
    name: `capture ${name}`,
    uses: 'capture',
    numerics,
    with: { batchTokens: 256, ...options },
    inputs: { dataset: ground.dataset, teacher: ground.large, student: ground.small, ...inputs },
  });

const logitsOf = ({ outcome: { outputs } }: StageResult): ArtifactRef => outputs['logits']!;

async function lossesOf(name: string, inputs: TrainingTask['inputs'], model = ground.small): Promise<number[]> {
  const { outcome } = await ground.train({
    name: `distill ${name}`,
    uses: 'distill',
    numerics: wasm,
    with: { steps: 8, rowTokens },
    inputs: { dataset: ground.dataset, model, ...inputs },
  });
  const { parts } = await readArtifact(ground.store, outcome.outputs['metrics']!);
  const text = Buffer.concat(await Promise.all(parts.map((part) => readBlob(ground.store, part)))).toString();
  return text
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { loss: number }).loss);
}

function expectClose(found: readonly number[], expected: readonly number[]): void {
  expect(found).toHaveLength(expected.length);
  found.forEach((loss, step) => expect(Math.abs(loss - expected[step]!)).toBeLessThan(1e-4));
}

/** What the store gives for the first samples of the dataset, at temperature 2. */
async function rowsOf(logits: ArtifactRef, samples = 5, dataset = ground.dataset) {
  const directory = await fetchModel(ground.store, ground.small, temporaryDirectory());
  const [tokenizer, template] = [await openTokenizer(directory), await openChatTemplate(directory)];
  const tokens = await openTokens({
    store: ground.store,
    dataset,
    encoder: createConversationEncoder({ tokenizer, template, answers: 'all' }),
    maximumTokens: rowTokens,
    tooLong: 'truncate',
    cacheDirectory: temporaryDirectory(),
    onRows: () => undefined,
  });
  const stored = await openLogits(ground.store, logits, temporaryDirectory());
  const placements = [];
  for (let row = 0; row < samples; row++) placements.push({ row, start: 0, sample: await tokens.read(row) });
  const weights = new Float32Array(samples * rowTokens);
  const inputs = await stored.extra({ rows: samples, columns: rowTokens, placements, weights }, 2);
  const positions = placements.flatMap(({ row, sample }) =>
    Array.from({ length: sample.ids.length - 1 }, (_, position) => row * rowTokens + position),
  );
  await Promise.all([tokens.close(), stored.close()]);
  return { ...inputs, positions };
}

/** A model of the same tokenizer whose vocabulary is padded with rows that weigh, the last ones most. */
async function padded(name: 'qwen2-gqa-tied' | 'qwen3-qknorm', vocabularySize: number): Promise<ArtifactRef> {
  const from = await copyModel(name, temporaryDirectory());
  const config = await readModelConfig(join(from, 'config.json'));
  const { tensors, close } = await openModelDirectory(from);
  const directory = join(temporaryDirectory(), 'padded');
  await writeModelDirectory(directory, {
    config: { ...config, vocabularySize },
    async values(tensor) {
      const values = await tensors.readFloat32(tensor);
      if (!/embed_tokens|lm_head/.test(tensor)) return values;
      const longer = new Float32Array(vocabularySize * config.hiddenSize).map(
        (_, at) => 0.3 + (1e-6 * at) / config.hiddenSize,
      );
      longer.set(values);
      return longer;
    },
    tokenizerFrom: from,
  });
  await close();
  return ground.storeModel(directory);
}

test('a student learns from all that was captured what it learns from the teacher beside it', async () => {
  const beside = await lossesOf('beside', { teacher: ground.large });
  expectClose(await lossesOf('captured', { logits: logitsOf(whole) }), beside);
});

test.each([
  ['wasm', wasm],
  ['TensorFlow', graph],
])('the kept ids have the mass and the log-probabilities of the whole distribution, on %s', async (name, numerics) => {
  const k = 8;
  const dense = await rowsOf(logitsOf(whole));
  const kept = await captureOf(`${name} kept`, { k, valueType: 'float32' }, {}, numerics);
  const some = await rowsOf(logitsOf(kept));
  for (const position of some.positions) {
    const ids = [...dense.teacherIds.subarray(position * everyId, (position + 1) * everyId)];
    const logProbabilities = new Map(
      ids.map((id, at) => [id, dense.teacherLogProbabilities[position * everyId + at]!]),
    );
    let mass = 0;
    for (let at = position * k; at < (position + 1) * k; at++) {
      const expected = logProbabilities.get(some.teacherIds[at]!)!;
      expect(Math.abs(some.teacherLogProbabilities[at]! - expected)).toBeLessThan(1e-4);
      mass += Math.exp(expected);
    }
    expect(Math.abs(some.teacherMissingMass[position]! - (1 - mass))).toBeLessThan(1e-4);
  }
});

interface Facts {
  readonly rows: number;
  readonly tokens: number;
  readonly distributions: number;
  readonly bytesPerToken: number;
  readonly unalignedShare: number | null;
  readonly vocabularySize: number;
  readonly capturedMass: readonly {
    readonly temperature: number;
    readonly mean: number;
    readonly histogram: readonly { readonly from: number; readonly to: number; readonly positions: number }[];
  }[];
}
const factsOf = ({ outcome: { facts } }: StageResult): Facts => facts as unknown as Facts;

test('a capture tells how much it holds: one distribution fewer than tokens for each sample, mass, bytes', async () => {
  const result = await captureOf('facts', { k: 10, temperatures: [1, 2] });
  const facts = factsOf(result);
  expect(facts.rows).toBe(40);
  expect(facts.distributions).toBe(facts.tokens - 40);
  expect(facts.unalignedShare).toBe(0);
  expect(result.outcome.reproducible).toBe(true);
  expect(facts.capturedMass.map(({ temperature }) => temperature)).toEqual([1, 2]);
  for (const { histogram, mean } of facts.capturedMass) {
    expect(histogram.reduce((sum, { positions }) => sum + positions, 0)).toBe(facts.distributions);
    expect(mean).toBeGreaterThan(10 / everyId);
    expect(mean).toBeLessThan(1);
  }
  expect(capturedOf(result.outcome.facts as JsonObject)).toMatchObject({
    positions: facts.distributions,
    unaligned: { of: 'model', share: 0 },
  });
  const again = await captureOf('facts again', { k: 10, temperatures: [1, 2] });
  expect(again.outcome.facts).toEqual(result.outcome.facts);
  expect(logitsOf(again).digest).toBe(logitsOf(result).digest);
});

test('a teacher that writes conversations otherwise is asked about those of the student, and it is told', async () => {
  const directory = await copyModel('qwen2-gqa-tied', temporaryDirectory());
  const file = join(directory, 'chat_template.jinja');
  await writeFile(file, (await readFile(file, 'utf8')).replace('You are a helpful assistant.', 'You help.'));
  const teacher = await ground.storeModel(directory);
  const result = await captureOf('unaligned', { k: 4 }, { teacher });
  expect(factsOf(result).unalignedShare).toBe(1);
  expect(await lossesOf('unaligned', { logits: logitsOf(result) })).toHaveLength(8);
});

test.each([
  ['teacher', 1088, 1024],
  ['student', 1024, 1088],
] as const)('a longer vocabulary of the %s is cut to the ids that both have', async (which, ofTeacher, ofStudent) => {
  const teacher = ofTeacher === everyId ? ground.large : await padded('qwen2-gqa-tied', ofTeacher);
  const student = ofStudent === everyId ? ground.small : await padded('qwen3-qknorm', ofStudent);
  const result = await captureOf(`padded ${which}`, { k: everyId, valueType: 'float32' }, { teacher, student });
  expect(factsOf(result).vocabularySize).toBe(everyId);
  const beside = await lossesOf(`beside, padded ${which}`, { teacher }, student);
  expectClose(await lossesOf(`padded ${which}`, { logits: logitsOf(result) }, student), beside);
});

test('vocabularies of 152,064 and 151,936 rows of one tokenizer are cut to the shared ids, of 18 bits each', async () => {
  const [ofTeacher, ofStudent, k, samples] = [152_064, 151_936, 10, 3];
  const [teacher, student] = [await padded('qwen3-qknorm', ofTeacher), await padded('qwen3-qknorm', ofStudent)];
  const dataset = await ground.storeConversations(conversationLines(samples));
  const idsOf = async (name: string, models: TrainingTask['inputs']) => {
    const task = { name, uses: 'capture', numerics: wasm, with: { batchTokens: 64, k } } as const;
    const result = await ground.train({ ...task, inputs: { dataset, ...models } });
    const { teacherIds, positions } = await rowsOf(logitsOf(result), samples, dataset);
    return { ids: positions.flatMap((at) => [...teacherIds.subarray(at * k, (at + 1) * k)]), facts: factsOf(result) };
  };
  const cut = await idsOf('capture of real sizes', { teacher, student });
  const { vocabularySize, rows, tokens, distributions, bytesPerToken } = cut.facts;
  expect([vocabularySize, rows]).toEqual([ofStudent, samples]);
  // Ids of 18 bits, nine gaps and the missing mass of 16; the rest are headers and the index, which count in so few rows.
  const beside = bytesPerToken * tokens - distributions * ((k * 18) / 8 + k * 2);
  expect(beside).toBeGreaterThan(0);
  expect(beside).toBeLessThan(distributions * 10);
  expect(cut.ids).toHaveLength(k * distributions);
  expect(cut.ids.filter((id) => id >= ofStudent)).toEqual([]);
  // What is padded weighs: a teacher that is asked alone does say those ids.
  const alone = await idsOf('capture of real sizes, alone', { teacher });
  expect(alone.facts.vocabularySize).toBe(ofTeacher);
  expect(alone.ids.some((id) => id >= ofStudent)).toBe(true);
});

async function spoilt(change: (directory: string) => Promise<void>): Promise<ArtifactRef> {
  const directory = await copyModel('qwen2-gqa-tied', temporaryDirectory());
  await change(directory);
  return ground.storeModel(directory);
}

async function otherTokenizer(directory: string): Promise<void> {
  const file = join(directory, 'tokenizer.json');
  const tokenizer = JSON.parse(await readFile(file, 'utf8')) as { readonly normalizer: unknown };
  const normalizer = tokenizer.normalizer === null ? { type: 'NFC' } : null;
  await writeFile(file, JSON.stringify({ ...tokenizer, normalizer }));
}

/** The last weights of the file are no numbers. */
async function noNumbers(directory: string): Promise<void> {
  const file = join(directory, 'model.safetensors');
  const bytes = await readFile(file);
  await writeFile(file, bytes.fill(0xff, bytes.length - 64));
}

test.each([
  ['a teacher of another tokenizer', 'teacher-mismatch', otherTokenizer, {}],
  ['a teacher whose weights are no numbers', 'distribution-invalid', noNumbers, {}],
  ['more ids than there are', 'inference-setting-invalid', () => Promise.resolve(), { k: 1025 }],
] as const)('%s is refused: %s', async (name, code, change, options) => {
  const teacher = await spoilt(change);
  await expect(captureOf(name, options, { teacher })).rejects.toMatchObject({ code, fault: 'user', retryable: false });
});

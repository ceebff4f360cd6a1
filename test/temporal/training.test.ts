/** Whole runs that train: a dataset, two models, a fine-tune and a distillation, through real workers. */
import { openObjectStore, parseDigest, readArtifact, readBlob } from '../../storage/index.js';
import type { Json } from '../../storage/index.js';
import { conversationLines, copyModel } from '../support/model-fixtures.js';
import { NightFiles } from '../support/night-files.js';
import { Night } from '../support/night.js';

let files: NightFiles;
let night: Night;
let teacher: string;
let student: string;
let dataset: string;

beforeAll(async () => {
  files = await NightFiles.create();
  teacher = await copyModel('qwen2-gqa-tied', files.directory);
  student = await copyModel('qwen3-qknorm', files.directory);
  dataset = await files.newDataset(conversationLines(60));
  night = await Night.begin();
  await Promise.all([night.addWorker('io'), night.addWorker('gpu'), night.addWorker('orchestrator')]);
});

afterAll(async () => {
  await night.end();
  await files.remove();
});

const training = { rowTokens: 64, rows: 2, microBatches: 2, epochs: 20, steps: 30, learningRate: 0.01 };

/** The standard plan, spelled out for tiny models. */
const plan = (store: string): Json => ({
  name: 'nightly',
  store,
  stages: [
    { id: 'import', uses: 'import', with: { dataset } },
    { id: 'teacher', uses: 'import-model', with: { model: teacher } },
    { id: 'student', uses: 'import-model', with: { model: student } },
    {
      id: 'fine-tune',
      uses: 'fine-tune',
      needs: ['import', 'student'],
      inputs: { model: 'student.model', heldOut: 'import.dataset' },
      with: training,
    },
    {
      id: 'distill',
      uses: 'distill',
      needs: ['import', 'teacher', 'fine-tune'],
      inputs: { model: 'fine-tune.model', teacher: 'teacher.model' },
      with: training,
    },
  ],
});

it('a student learns the answers, then its teacher, and a second run trains nothing', async () => {
  const url = files.newStore();
  const { nodes } = await (await night.start(files.newRunId(), plan(url))).result();
  expect(Object.values(nodes).map(({ reused }) => reused)).toEqual([false, false, false, false, false]);
  const losses = {
    'fine-tune': await lossesOf(url, nodes['fine-tune']),
    distill: await lossesOf(url, nodes['distill']),
  };
  expect(losses['fine-tune']).toHaveLength(training.steps);
  expect(losses['fine-tune'].at(-1)).toBeLessThan((losses['fine-tune'][0] ?? 0) / 4);
  expect(losses.distill.at(-1)).toBeLessThan((losses.distill[0] ?? 0) * 0.75);

  const again = await (await night.start(files.newRunId(), plan(url))).result();
  for (const [id, node] of Object.entries(nodes)) expect(again.nodes[id]).toEqual({ ...node, reused: true });
});

it('a student learns from logits that were captured what it learns from the teacher beside it, in the standard plan', async () => {
  const short = { ...training, steps: 10 };
  const standard = { name: 'captured', store: files.newStore(), teacher, student, dataset };
  const sections = { 'fine-tune': short, distill: short };
  const dense = await (await night.start(files.newRunId(), { ...standard, ...sections })).result();
  const capture = { k: 1024, valueType: 'float32', batchTokens: 512 };
  const captured = await (await night.start(files.newRunId(), { ...standard, ...sections, capture })).result();
  expect(Object.keys(captured.nodes).sort()).toEqual([
    'capture',
    'distill',
    'fine-tune',
    'import',
    'student',
    'teacher',
  ]);
  expect(captured.nodes['fine-tune']?.reused).toBe(true);
  expect(captured.nodes['capture']?.outputs['logits']).toMatchObject({ kind: 'logits', rows: 60 });
  const [beside, learned] = [
    await lossesOf(standard.store, dense.nodes['distill']),
    await lossesOf(standard.store, captured.nodes['distill']),
  ];
  expect(learned).toHaveLength(short.steps);
  learned.forEach((loss, step) => expect(Math.abs(loss - (beside[step] ?? Number.NaN))).toBeLessThan(1e-3));
});

interface WithMetrics {
  readonly outputs: Readonly<
    Record<
      string,
      {
        readonly kind: string;
        readonly digest: string;
        readonly uri: string;
        readonly bytes: number;
        readonly indexBytes: number;
      }
    >
  >;
}

/** The loss of each step, from the metrics that the stage left. */
async function lossesOf(url: string, node: WithMetrics | undefined): Promise<number[]> {
  const metrics = node?.outputs['metrics'];
  if (!metrics) throw new Error('expected metrics');
  const store = await openObjectStore(url);
  try {
    const { parts } = await readArtifact(store, { ...metrics, digest: parseDigest(metrics.digest) });
    const text = Buffer.concat(await Promise.all(parts.map((part) => readBlob(store, part)))).toString();
    return text
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { readonly loss: number }).loss);
  } finally {
    await store.close();
  }
}

/**
 * What a run of `distill.yaml` came to: how many questions each model answered rightly, how often its SQL is the teacher's, and
 * whether the distributions brought anything over as many steps without them. Read from the records of the store.
 */
import { parseLines, type ItemResult } from '../../evaluation/evaluate/item-result.js';
import { wilsonInterval } from '../../evaluation/statistics/proportions.js';
import { pairedCounts } from '../../evaluation/statistics/paired-counts.js';
import { tangoInterval } from '../../evaluation/statistics/tango.js';
import type { RunView } from '../../client/index.js';
import { lookupResult, openObjectStore, readArtifact, readBlob, type ObjectStore } from '../../storage/index.js';
import { drawTable } from '../../tools/setup.js';

const models = {
  'evaluate-teacher': 'teacher',
  'evaluate-base': 'student, untrained',
  'evaluate-sft': 'SFT on the answers',
  'evaluate-kd': 'SFT, then distilled',
  'evaluate-control': 'SFT, then as many steps of CE',
} as const;
type Evaluation = keyof typeof models;

interface Evaluated {
  readonly results: readonly ItemResult[];
  readonly observations: Readonly<Record<string, unknown>>;
}

const evaluations = Object.keys(models) as readonly Evaluation[];

/** Of a run that completed. */
export async function closingTable(storeUrl: string, view: RunView): Promise<string> {
  const store = await openObjectStore(storeUrl);
  try {
    const entries = await Promise.all(evaluations.map(async (node) => [node, await read(store, view, node)] as const));
    return draw(Object.fromEntries(entries) as Record<Evaluation, Evaluated>);
  } finally {
    await store.close();
  }
}

async function read(store: ObjectStore, { nodes }: RunView, id: Evaluation): Promise<Evaluated> {
  const key = nodes.find((node) => node.id === id)?.stageKey ?? '';
  const outcome = (await lookupResult(store, key))?.outcome;
  const scores = outcome?.outputs['scores'];
  if (outcome === undefined || scores === undefined) throw new Error(`expected the result of ${id}, found none`);
  const results: ItemResult[] = [];
  for (const part of (await readArtifact(store, scores)).parts)
    results.push(...parseLines(await readBlob(store, part)));
  return { results, observations: outcome.observations as Evaluated['observations'] };
}

function draw(evaluated: Readonly<Record<Evaluation, Evaluated>>): string {
  const teacher = evaluated['evaluate-teacher'];
  const rows = evaluations.map((id) => rowOf(models[id], evaluated[id], teacher));
  const header = ['model', 'right', '95 % interval', 'same SQL as the teacher', 'bytes of weights', 'p50', 'p95'];
  return [
    drawTable(header, rows).replaceAll(/^/gm, '  '),
    ...comparison(evaluated['evaluate-kd'], evaluated['evaluate-control']),
  ].join('\n');
}

const scoresOf = ({ results }: Evaluated): number[] => results.map(({ scores }) => scores['sql-execution']?.score ?? 0);
const rightOf = (evaluated: Evaluated): number => scoresOf(evaluated).filter((score) => score === 1).length;
const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

function rowOf(name: string, evaluated: Evaluated, teacher: Evaluated): string[] {
  const { results, observations } = evaluated;
  const right = rightOf(evaluated);
  const { lower, upper } = wilsonInterval(right, results.length);
  const same = results.filter(({ text }, index) => text === teacher.results[index]?.text).length;
  return [
    name,
    `${right} of ${results.length}, ${percent(right / results.length)}`,
    `${percent(lower)} to ${percent(upper)}`,
    percent(same / results.length),
    Number(observations['weightBytes']).toLocaleString('en-US'),
    milliseconds(observations['latencyP50Ms']),
    milliseconds(observations['latencyP95Ms']),
  ];
}

const milliseconds = (value: unknown): string => (typeof value === 'number' ? `${Math.round(value)} ms` : 'not known');

/** The same questions, answered by both: what both get right or both get wrong says nothing. */
function comparison(distilled: Evaluated, control: Evaluated): string[] {
  const counts = pairedCounts(scoresOf(distilled), scoresOf(control));
  const { lower, upper } = tangoInterval(counts);
  const points = (share: number): string => `${share > 0 ? '+' : ''}${(100 * share).toFixed(1)}`;
  const verdict =
    lower > 0
      ? 'On these questions, with this seed, the distributions made the student better.'
      : upper < 0
        ? 'On these questions, with this seed, the distributions made the student worse.'
        : 'With this seed no difference is shown.';
  return [
    '',
    `  distilled − control: ${points((counts.gained - counts.lost) / counts.items)} points, 95 % interval ${points(lower)} to ` +
      `${points(upper)} (${counts.gained} questions gained, ${counts.lost} lost)`,
    `  ${verdict} One seed says little: seeds differ by more than such a gain.`,
  ];
}

/** From the scores of all models to what the bench reports: a row a comparison, and every number behind it. Pure. */
import { armsOf, cellOf, type Arm, type Series } from './series-plan.js';
import { conclusionOf, differenceOverSeeds, meanOf, rangeOf, type SeriesDifference } from './series-statistics.js';

/** Question → 1 right, 0 wrong. */
export type Scores = Readonly<Record<string, number>>;

export const scoredModels = (series: Series): string[] => [
  'teacher',
  'base',
  ...series.sizes.flatMap((size) =>
    series.seeds.flatMap((seed) => armsOf(series).map((arm) => cellOf(arm, size, seed))),
  ),
];

const percent = (share: number): number => Number((100 * share).toFixed(2));

const rounded = (values: readonly number[]): number => Number(meanOf(values).toFixed(2));

export function resultOf(series: Series, scores: ReadonlyMap<string, Scores>) {
  const { sizes, seeds, temperatures } = series;
  const questions = Object.keys(scores.get('teacher') ?? {}).sort();
  const rightOf = (model: string): number[] => {
    const of = scores.get(model) ?? {};
    return questions.map((question) => of[question] ?? Number.NaN);
  };
  const shareOf = (model: string): number => percent(meanOf(rightOf(model)));
  const perSeed = (arm: Arm, size: number): number[] => seeds.map((seed) => shareOf(cellOf(arm, size, seed)));
  const comparisons = sizes.flatMap((size) =>
    temperatures.map((temperature) => {
      const difference = differenceOverSeeds(
        seeds.map((seed) => {
          const control = rightOf(cellOf('ce', size, seed));
          return rightOf(cellOf(`kd-${temperature}`, size, seed)).map((right, item) => right - (control[item] ?? 0));
        }),
      );
      return { size, temperature, difference };
    }),
  );
  const rows = comparisons.map(({ size, temperature, difference }) => {
    const [ours, theirs] = [rounded(perSeed(`kd-${temperature}`, size)), rounded(perSeed('ce', size))];
    return {
      work: `SQL that gives the right rows, ${size} prompts, KD at T = ${temperature}, mean of ${seeds.length} seeds`,
      against: 'cross-entropy alone from the same weights, as many steps, the same data in the same order',
      ours,
      theirs,
      unit: `% of ${questions.length}`,
      ratio: Number((ours / theirs).toFixed(3)),
      goal: 'better: the interval of the difference above 0',
      met: difference.interval.lower > 0,
    };
  });
  const details = {
    teacher: shareOf('teacher'),
    base: shareOf('base'),
    seeds,
    scores: sizes.flatMap((size) =>
      armsOf(series).map((arm) => {
        const of = perSeed(arm, size);
        return { prompts: size, training: arm, perSeed: of, mean: rounded(of), ...rangeOf(of) };
      }),
    ),
    differences: comparisons.map(({ size, temperature, difference }) => described(size, temperature, difference)),
  };
  return { notes: notesOf(questions.length, comparisons), rows, details };
}

function described(size: number, temperature: number, difference: SeriesDifference) {
  const { mean, interval, perSeed } = difference;
  return {
    prompts: size,
    temperature,
    points: percent(mean),
    interval: { lower: percent(interval.lower), upper: percent(interval.upper), level: interval.level },
    perSeed: perSeed.map(percent),
    conclusion: conclusionOf(difference),
  };
}

interface Comparison {
  readonly size: number;
  readonly temperature: number;
  readonly difference: SeriesDifference;
}

const notesOf = (questions: number, comparisons: readonly Comparison[]): string[] => [
  `judged by running the SQL of ${questions} held-out questions; the teacher answers the prompts once, greedily; a seed decides the order of the data`,
  'one fine-tuned student for each seed and number of prompts, from which all three go on with equal steps, schedule and order',
  'rate, steps and weight decay were chosen for distillation, on validation questions; the control takes the same and differs in the share of cross-entropy (and in temperature, which it has no use for)',
  'intervals of 95 %: seeds and questions both drawn anew with replacement (pigeonhole bootstrap, 5,000 draws), so they hold for other seeds and questions',
  ...comparisons.map(({ size, temperature, difference }) => {
    const { mean, interval } = difference;
    const points = (share: number): string => `${share < 0 ? '−' : '+'}${Math.abs(100 * share).toFixed(1)}`;
    return (
      `${size} prompts, T = ${temperature}: ${conclusionOf(difference)}, ` +
      `${points(mean)} points (${points(interval.lower)} to ${points(interval.upper)})`
    );
  }),
];

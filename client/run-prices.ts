/**
 * What the stages of a run tell of money: what making the student has cost, what of that went to endpoints, and what a request to the
 * teacher costs. A stage that is reused counts like one that has run: what it has cost was paid by this run or by one before.
 */
import { memberOf, numberAt, objectAt, type Prices } from '../evaluation/report/index.js';
import type { JsonObject } from '../storage/index.js';

/** What a stage with a result has recorded. */
export interface RecordedStage {
  readonly node: string;
  readonly preimage: JsonObject;
  /** Name of the output → digest. */
  readonly outputs: Readonly<Record<string, string>>;
  readonly observations: JsonObject;
  /** Over all its attempts; absent where that is not known. */
  readonly workedMs?: number | undefined;
}

/** What the replies that a stage has used cost, each once. */
export interface PaidStage {
  readonly node: string;
  readonly usd: number | 'not given';
}

export interface RunPrices extends Prices {
  readonly paid: readonly PaidStage[];
}

const hourMs = 3600 * 1000;

/**
 * The teacher's by what the plan says it takes, computing by the hour over all that the stages have worked.
 * @param isWhole whether all that was begun has a result: what else was spent is not known
 */
export function pricesOf(
  stages: readonly RecordedStage[],
  usdPerHour: number | undefined,
  isWhole: boolean,
): RunPrices {
  const spent = stages.map(spentBy);
  const worked = stages.map(({ workedMs = null }) => workedMs);
  const isKnown = isWhole && usdPerHour !== undefined && ![...spent, ...worked].includes(null);
  const teacher = teacherOf(stages);
  return {
    ...(usdPerHour !== undefined && { usdPerHour }),
    ...(teacher && { teacher }),
    ...(isKnown && { distillationUsd: sum(spent) + (sum(worked) / hourMs) * usdPerHour }),
    paid: stages.flatMap((stage, at) => {
      const usd = spent[at] ?? null;
      return asksEndpoint(stage) || (usd ?? 0) > 0 ? [{ node: stage.node, usd: usd ?? 'not given' }] : [];
    }),
  };
}

/** By the requests on which it was measured as the students were, where it was; else by those that they learned from. */
function teacherOf(stages: readonly RecordedStage[]): Prices['teacher'] {
  const judged = new Set(stages.map(({ preimage }) => memberOf(objectAt(preimage, 'inputs'), 'answers')));
  const answers = stages.filter(({ preimage }) => memberOf(preimage, 'kind') === 'answer');
  const answer = answers.find(({ outputs }) => judged.has(outputs['answers'] ?? null)) ?? answers[0];
  return answer && teacherPrices(answer.observations);
}

/** Null where it is not known; who asks nobody pays nobody. */
function spentBy(stage: RecordedStage): number | null {
  const observed = memberOf(stage.observations, 'spentUsd');
  return observed === undefined && !asksEndpoint(stage) ? 0 : numberAt(stage.observations, 'spentUsd');
}

/** One that asks an endpoint has its identity among its options, whatever its kind; whoever only tells of a teacher has its terms as well. */
function asksEndpoint({ preimage }: RecordedStage): boolean {
  const teacher = objectAt(objectAt(preimage, 'options'), 'teacher');
  return memberOf(teacher, 'endpoint') !== undefined && memberOf(teacher, 'terms') === undefined;
}

/** A request as the mean of the replies whose tokens were counted. */
function teacherPrices(observed: JsonObject): Prices['teacher'] {
  const served = Object.values(objectAt(observed, 'served')).filter((count) => typeof count === 'number');
  const counted = sum(served) - (numberAt(observed, 'uncounted') ?? 0);
  const [prompt, completion] = [numberAt(observed, 'promptTokens'), numberAt(observed, 'completionTokens')];
  const prices = objectAt(observed, 'prices');
  const [input, output] = [numberAt(prices, 'inputUsdPerMillion'), numberAt(prices, 'outputUsdPerMillion')];
  if (prompt === null || completion === null || input === null || output === null || counted <= 0) return undefined;
  return {
    inputTokens: prompt / counted,
    outputTokens: completion / counted,
    usdPerMillionInputTokens: input,
    usdPerMillionOutputTokens: output,
  };
}

const sum = (values: readonly (number | null)[]): number =>
  values.reduce<number>((total, value) => total + (value ?? 0), 0);

/**
 * What answering costs with the teacher and with the student, and after how many requests the distillation has paid for itself.
 * A price that nobody gave stays unknown: it is `not given` wherever it would be needed, never 0, and nothing is computed from it.
 */

/** Prices in US dollars, tokens as the mean of a request. */
export interface ServingCost {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly usdPerMillionInputTokens?: number;
  readonly usdPerMillionOutputTokens?: number;
  /** Of a machine that is paid by the hour, instead of by tokens. */
  readonly usdPerHour?: number;
  /** How many requests such a machine answers an hour. */
  readonly requestsPerHour?: number;
}

export interface CostInput {
  readonly teacher: ServingCost;
  readonly student: ServingCost;
  /** What making the student has cost: answers of the teacher, training, evaluation. */
  readonly distillationUsd?: number;
}

export interface CostReport {
  readonly teacherUsdPer1000: number | NotGiven;
  readonly studentUsdPer1000: number | NotGiven;
  /** Requests after which the student is cheaper, all in all; `never` when a request costs no less than with the teacher. */
  readonly breakEvenRequests: number | NotGiven | 'never';
}

export type NotGiven = 'not given';
const notGiven: NotGiven = 'not given';

export function compareCost({ teacher, student, distillationUsd }: CostInput): CostReport {
  const [theirs, ours] = [usdPer1000Requests(teacher), usdPer1000Requests(student)];
  return {
    teacherUsdPer1000: theirs,
    studentUsdPer1000: ours,
    breakEvenRequests: breakEven(theirs, ours, distillationUsd),
  };
}

/** By tokens where both prices of tokens are given, else by the hour. */
export function usdPer1000Requests(cost: ServingCost): number | NotGiven {
  const { usdPerMillionInputTokens: input, usdPerMillionOutputTokens: output, usdPerHour, requestsPerHour } = cost;
  if (input !== undefined && output !== undefined)
    return (cost.inputTokens * input + cost.outputTokens * output) / 1000;
  if (usdPerHour !== undefined && requestsPerHour !== undefined && requestsPerHour > 0)
    return (usdPerHour / requestsPerHour) * 1000;
  return notGiven;
}

function breakEven(
  teacher: number | NotGiven,
  student: number | NotGiven,
  spent: number | undefined,
): CostReport['breakEvenRequests'] {
  if (teacher === notGiven || student === notGiven || spent === undefined) return notGiven;
  return teacher > student ? Math.ceil((spent / (teacher - student)) * 1000) : 'never';
}

/** What calls cost, by the prices of the plan. Without prices the cost is unknown, which is not the same as 0. */
import type { Prices } from '../../config/teacher-schema.js';
import { costOfTokens, sumOf, type NanoUsd } from '../responses/index.js';

export interface Tokens {
  readonly promptTokens: number;
  readonly completionTokens: number;
}

/** Undefined where no prices are given. */
export const costOf = (prices: Prices | undefined, { promptTokens, completionTokens }: Tokens): NanoUsd | undefined =>
  prices &&
  sumOf([
    costOfTokens(promptTokens, prices.inputUsdPerMillion),
    costOfTokens(completionTokens, prices.outputUsdPerMillion),
  ]);

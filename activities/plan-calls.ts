/** What a stage is about to ask of an endpoint, and which caps stop it, in words, before anything is asked. Pure. */
import type { Budget } from '../config/budget-schema.js';
import { formatUsd } from '../config/format-usd.js';
import type { CallsOfStage } from '../config/stage-kind.js';

/** @param rows undefined: not known before they are there */
export function sayCalls(calls: CallsOfStage, rows: number | undefined): string {
  const { requests, each, atMostUsd } = calls;
  if (each === 'run') return `asks an endpoint ${times(requests)}, in every run: ${sayMoney(calls, atMostUsd)}`;
  if (each === 'sample' || rows === undefined)
    return `asks an endpoint ${times(requests)} for each ${each}: ${sayMoney(calls, atMostUsd)}, each; ${notAgain}`;
  const usd = atMostUsd === undefined ? undefined : atMostUsd * rows;
  return `asks an endpoint ${times(requests * rows)}: ${sayMoney(calls, usd)}; ${notAgain}`;
}

const notAgain = 'what is recorded is not asked again';

const times = (count: number): string => (count === 1 ? 'once' : `${count} times`);

function sayMoney({ withPrompts }: CallsOfStage, usd: number | undefined): string {
  if (usd === undefined) return 'the price is not given';
  return withPrompts
    ? `at most ${formatUsd(usd)}, prompts included`
    : `at most ${formatUsd(usd)} for answers, and prompts on top`;
}

/** @param taken of the period, in dollars, spent or reserved until now; undefined where there is no period */
export function sayCaps({ spendAtMostUsd, period }: Budget, taken: number | undefined): string {
  const ofRun = `a run stops at ${formatUsd(spendAtMostUsd)}`;
  if (period === undefined) return `${ofRun}, and the next begins with all of that again`;
  const { every, name, timeZone, spendAtMostUsd: usd } = period;
  return `${ofRun}, and all that share "${name}" at ${formatUsd(usd)} a ${every} (${timeZone}), of which ${formatUsd(taken ?? 0)} are taken`;
}

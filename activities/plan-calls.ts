/** What a stage is about to ask of an endpoint, in words, before anything is asked. Pure. */
import type { CallsOfRow } from '../config/stage-kind.js';

/** @param rows undefined: not known before they are there */
export function sayCalls({ requests, atMostUsd }: CallsOfRow, rows: number | undefined): string {
  if (rows === undefined) return `asks an endpoint, ${requests} times for each row`;
  const money =
    atMostUsd === undefined
      ? 'the price is not given'
      : `at most $${(atMostUsd * rows).toLocaleString('en-US', { maximumSignificantDigits: 3 })} for the answers, and their prompts`;
  return `asks an endpoint ${rows * requests} times: ${money}; what is recorded is not asked again`;
}

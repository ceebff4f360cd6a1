/**
 * Heartbeats on a timer, with the last thing reported as their details. They say that this worker lives and supervises; a
 * child that hangs is found by its supervisor, not by Temporal.
 */
import { Context } from '@temporalio/activity';
import type { JsonObject } from '../config/json.js';

const beatsPerTimeout = 4;
const slowestBeatMs = 10_000;

/** Runs `work`, and beats while it runs. `work` reports whatever the next attempt or an operator may want to know. */
export async function withHeartbeat<Result>(
  work: (report: (details: JsonObject) => void) => Promise<Result>,
): Promise<Result> {
  const context = Context.current();
  const timeoutMs = context.info.heartbeatTimeoutMs ?? slowestBeatMs;
  let details: JsonObject | undefined;
  const beat = (): void => context.heartbeat(details);
  beat();
  const timer = setInterval(beat, Math.min(timeoutMs / beatsPerTimeout, slowestBeatMs));
  try {
    return await work((latest) => {
      details = latest;
    });
  } finally {
    clearInterval(timer);
  }
}

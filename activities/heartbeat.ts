/**
 * Heartbeats on a timer, with the last thing reported as their details. They say that this worker lives and supervises; a
 * child that hangs is found by its supervisor, not by Temporal. News (a phase, a durable step) is sent at once, other reports
 * at most once a second; Temporal's SDK throttles what it sends further, and sends the last of an attempt with its failure.
 */
import { Context } from '@temporalio/activity';

const beatsPerTimeout = 4;
const slowestBeatMs = 10_000;
const quickestReportMs = 1000;

export interface Heartbeat<Details> {
  readonly details: Details;
  report(details: Details, isNews: boolean): void;
}

/** Runs `work`, and beats while it runs. `work` reports whatever the next attempt or an operator may want to know. */
export async function withHeartbeat<Details, Result>(
  first: Details,
  work: (heartbeat: Heartbeat<Details>) => Promise<Result>,
): Promise<Result> {
  const context = Context.current();
  const timeoutMs = context.info.heartbeatTimeoutMs ?? slowestBeatMs;
  let details = first;
  let beatAtMs = -Infinity;
  const beat = (): void => {
    beatAtMs = performance.now();
    context.heartbeat(details);
  };
  beat();
  const timer = setInterval(beat, Math.min(timeoutMs / beatsPerTimeout, slowestBeatMs));
  try {
    return await work({
      get details() {
        return details;
      },
      report(latest, isNews) {
        details = latest;
        if (isNews || performance.now() - beatAtMs >= quickestReportMs) beat();
      },
    });
  } finally {
    clearInterval(timer);
  }
}

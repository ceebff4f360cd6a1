/**
 * How asking ends before its time: first no call begins, then, after a grace in which replies that are paid for can arrive and be
 * recorded, those under way are cut.
 */
const standardGraceMs = 20_000;

export interface Stopping {
  /** Aborted with the reason of the signal, or by whoever finds that no more should be asked. */
  readonly stop: AbortController;
  readonly cut: AbortSignal;
  /** Asking is over: the signal is no longer listened to, and nothing is cut. */
  readonly end: () => void;
}

export function stopping(signal: AbortSignal, graceMs = standardGraceMs): Stopping {
  const [stop, cut] = [new AbortController(), new AbortController()];
  let grace: NodeJS.Timeout | undefined;
  stop.signal.addEventListener('abort', () => {
    grace = setTimeout(() => cut.abort(stop.signal.reason), graceMs);
  });
  const onAbort = (): void => stop.abort(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  if (signal.aborted) onAbort();
  const end = (): void => {
    clearTimeout(grace);
    signal.removeEventListener('abort', onAbort);
  };
  return { stop, cut: cut.signal, end };
}

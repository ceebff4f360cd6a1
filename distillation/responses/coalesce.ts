/**
 * Group commit: of work that anybody may ask for at any time, one round runs and one waits. Whoever asks gets a round that
 * begins after the asking, and shares it with all who ask until it begins.
 */
export function coalesced(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> = Promise.resolve();
  let waiting: Promise<void> | undefined;
  return () => {
    waiting ??= running
      .catch(() => undefined)
      .then(() => {
        running = waiting ?? Promise.resolve();
        waiting = undefined;
        return work();
      });
    return waiting;
  };
}

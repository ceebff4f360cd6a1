/** Work on what an async iterable yields, so many at once. The first failure is told to whoever listens, and ends the others in order. */
export async function inLanes<Item>(
  lanes: number,
  items: AsyncIterable<Item>,
  { stop, work }: { readonly stop: AbortController; readonly work: (item: Item) => Promise<void> },
): Promise<void> {
  const iterator = items[Symbol.asyncIterator]();
  const lane = async (): Promise<void> => {
    try {
      for (let next = await iterator.next(); !next.done; next = await iterator.next()) {
        stop.signal.throwIfAborted();
        await work(next.value);
      }
    } catch (error) {
      stop.abort(error);
      throw error;
    }
  };
  await Promise.allSettled(Array.from({ length: lanes }, lane));
  stop.signal.throwIfAborted();
}

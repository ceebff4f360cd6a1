/** Works on the items of an async iterable, a given number at a time. The first failure aborts `stop`, and is thrown once all have ended. */
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

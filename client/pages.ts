/** What Temporal gives in pages, each with the token of the next one; the last has an empty token. */
interface Page {
  readonly nextPageToken: Uint8Array;
}

/** Asked for one at a time: whoever leaves early asks for no more. */
export async function* pagesOf<Found extends Page>(
  ask: (nextPageToken: Uint8Array) => Promise<Found>,
): AsyncGenerator<Found, void> {
  let nextPageToken: Uint8Array = new Uint8Array();
  do {
    const page = await ask(nextPageToken);
    yield page;
    ({ nextPageToken } = page);
  } while (nextPageToken.length > 0);
}

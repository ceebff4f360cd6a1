const most = 300;

/** What a message repeats of a stranger's text: its beginning. */
export const excerpt = (text: string): string => (text.length > most ? `${text.slice(0, most)}…` : text);

/** The same of what a library says, which may repeat the text too. */
export const reasonOf = (cause: unknown): string => excerpt(cause instanceof Error ? cause.message : String(cause));

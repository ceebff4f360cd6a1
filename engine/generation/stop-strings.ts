/** Looks for strings that end a text while it grows piece by piece; holds back what may turn out to begin one of them. */

export interface StopStrings {
  /** The text that can be shown, and whether a stop string was found: then nothing more is to come. */
  readonly push: (piece: string) => { readonly text: string; readonly found: boolean };
  /** What was held back. */
  readonly end: () => string;
}

export function createStopStrings(strings: readonly string[]): StopStrings {
  let held = '';
  const push = (piece: string): { text: string; found: boolean } => {
    held += piece;
    const start = firstOf(held, strings);
    const shown = start ?? held.length - lengthOfBeginning(held, strings);
    const text = held.slice(0, shown);
    held = start === undefined ? held.slice(shown) : '';
    return { text, found: start !== undefined };
  };
  const end = (): string => {
    const rest = held;
    held = '';
    return rest;
  };
  return { push, end };
}

function firstOf(text: string, strings: readonly string[]): number | undefined {
  const starts = strings.map((string) => text.indexOf(string)).filter((start) => start >= 0);
  return starts.length === 0 ? undefined : Math.min(...starts);
}

/** The length of the longest end of the text with which one of the strings begins. */
function lengthOfBeginning(text: string, strings: readonly string[]): number {
  const lengths = strings.map((string) => {
    let length = Math.min(text.length, string.length - 1);
    while (length > 0 && !text.endsWith(string.slice(0, length))) length -= 1;
    return length;
  });
  return Math.max(0, ...lengths);
}

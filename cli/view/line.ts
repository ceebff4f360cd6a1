/** A line of the terminal as pieces with styles: measured and cut as text, painted last. */

export type Style = 'plain' | 'strong' | 'quiet' | 'good' | 'bad' | 'busy' | 'warning';

export interface Piece {
  readonly text: string;
  readonly style: Style;
}

export type Line = readonly Piece[];

export const piece = (text: string, style: Style = 'plain'): Piece => ({ text, style });

const codes: Readonly<Record<Style, string>> = {
  plain: '',
  strong: '\u001b[1m',
  quiet: '\u001b[2m',
  good: '\u001b[32m',
  bad: '\u001b[31m',
  busy: '\u001b[36m',
  warning: '\u001b[33m',
};

export const textOf = (line: Line): string =>
  line
    .map(({ text }) => text)
    .join('')
    .trimEnd();

/** Cut to the width with an ellipsis, so that nothing wraps; coloured when asked for. */
export function paint(line: Line, width: number, coloured: boolean): string {
  let left = textOf(line).length > width ? width - 1 : width;
  let painted = '';
  for (const { text, style } of line) {
    const shown = text.slice(0, left);
    left -= shown.length;
    painted += coloured && codes[style] !== '' && shown !== '' ? `${codes[style]}${shown}\u001b[0m` : shown;
  }
  return textOf(line).length > width ? `${painted}…` : painted;
}

/** Draws lines over themselves on a terminal, a few times a second. What is printed beside goes above them. */
import { paint, type Line } from './line.js';

type Terminal = NodeJS.WriteStream;

const hideCursor = '\u001b[?25l';
const showCursor = '\u001b[?25h';

export class Screen {
  readonly #terminal: Terminal;
  readonly #coloured: boolean;
  #drawn = 0;

  /** @param coloured false for NO_COLOR and terminals that cannot */
  constructor(terminal: Terminal, coloured: boolean) {
    this.#terminal = terminal;
    this.#coloured = coloured;
  }

  get width(): number {
    return this.#terminal.columns || 80;
  }

  get height(): number {
    return this.#terminal.rows || 24;
  }

  draw(lines: readonly Line[]): void {
    const painted = lines.map((line) => `${paint(line, this.width - 1, this.#coloured)}\u001b[K\n`);
    this.#terminal.write(`${hideCursor}${this.#back()}${painted.join('')}\u001b[J`);
    this.#drawn = lines.length;
  }

  /** Leaves what was drawn last where it is. */
  leave(): void {
    this.#terminal.write(showCursor);
    this.#drawn = 0;
  }

  #back(): string {
    return this.#drawn === 0 ? '' : `\u001b[${this.#drawn}A\r`;
  }
}

/** Does this stream take colours, by the conventions of terminals? */
export const takesColours = (
  stream: { readonly isTTY?: boolean },
  variables: Readonly<Record<string, string | undefined>>,
): boolean => stream.isTTY === true && !variables['NO_COLOR'] && variables['TERM'] !== 'dumb';

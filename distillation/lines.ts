/**
 * Cuts a stream of bytes into lines, with the byte offset behind each, so that reading can go on from any of them. A byte
 * order mark at the start of the file is dropped; a carriage return before a newline belongs to the newline; a last line
 * without a newline counts. Blank lines are lines too: the reader decides about them. Memory holds one chunk and one line.
 */
import { NightstillError } from '../config/errors.js';

export interface Line {
  /** From 1. */
  readonly number: number;
  /** Offset in the file of the first byte behind this line and its newline. */
  readonly end: number;
  readonly bytes: Uint8Array;
}

export interface LinePosition {
  /** Bytes of the file that are behind us. */
  readonly offset: number;
  /** Lines that are behind us. */
  readonly line: number;
}

/** A row longer than this is a mistake of whoever wrote the file, not data. */
const maximumLineBytes = 16 * 1024 * 1024;

const newline = 0x0a;
const carriageReturn = 0x0d;
const byteOrderMark = [0xef, 0xbb, 0xbf] as const;

export class LineSplitter {
  #offset: number;
  #number: number;
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;

  constructor(
    from: LinePosition,
    private readonly maximumBytes = maximumLineBytes,
  ) {
    this.#offset = from.offset;
    this.#number = from.line;
  }

  /**
   * The lines that this chunk completes. The chunk may not be changed until they have been used.
   * @throws dataset-row-invalid when a line is too long
   */
  *push(chunk: Uint8Array): Generator<Line> {
    let start = 0;
    for (let end = chunk.indexOf(newline); end !== -1; end = chunk.indexOf(newline, start)) {
      this.#keep(chunk.subarray(start, end));
      yield this.#take(1);
      start = end + 1;
    }
    this.#keep(chunk.subarray(start));
  }

  /** What stands behind the last newline. */
  *end(): Generator<Line> {
    if (this.#pendingBytes > 0) yield this.#take(0);
  }

  #keep(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    this.#pending.push(bytes);
    this.#pendingBytes += bytes.length;
    if (this.#pendingBytes <= this.maximumBytes) return;
    throw new NightstillError(
      'dataset-row-invalid',
      `line ${this.#number + 1}: expected at most ${this.maximumBytes} bytes, found more`,
      { details: { line: this.#number + 1 } },
    );
  }

  #take(newlineBytes: number): Line {
    const whole = this.#pending.length === 1 ? this.#pending[0] : Buffer.concat(this.#pending);
    let bytes: Uint8Array = whole ?? new Uint8Array();
    if (this.#offset === 0 && byteOrderMark.every((byte, index) => bytes[index] === byte)) bytes = bytes.subarray(3);
    if (newlineBytes > 0 && bytes.at(-1) === carriageReturn) bytes = bytes.subarray(0, -1);
    this.#offset += this.#pendingBytes + newlineBytes;
    this.#number += 1;
    this.#pending = [];
    this.#pendingBytes = 0;
    return { number: this.#number, end: this.#offset, bytes };
  }
}

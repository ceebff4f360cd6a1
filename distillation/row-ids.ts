/**
 * The ids of all rows seen so far, to find the two lines that share one. It keeps 16 bytes of each id's SHA-256 and the
 * line, 20 bytes a row in a table at most three quarters full: about 40 MB a million rows at worst, and so good for tens of
 * millions of rows. Entries are handed out in the order of their arrival, so that a checkpoint adds only the new ones.
 */
import { createHash } from 'node:crypto';
import { NightstillError } from '../config/errors.js';

const wordsPerEntry = 5;
const bytesPerEntry = wordsPerEntry * 4;
/** The last word of an entry; lines count from 1, so that 0 marks a free place. */
const lineWord = 4;

export class RowIds {
  #places = 1024;
  #table = new Uint32Array(this.#places * wordsPerEntry);
  #size = 0;
  #added: Buffer[] = [];

  /** Returns the line that has this id already; otherwise remembers it and returns undefined. */
  add(id: string, line: number): number | undefined {
    const entry = entryOf(id, line);
    const known = this.#insert(wordsOf(entry));
    if (known === undefined) this.#added.push(entry);
    return known;
  }

  has(id: string): boolean {
    const place = this.#find(wordsOf(entryOf(id, 0)));
    return this.#table[place + lineWord] !== 0;
  }

  /** The entries added since the last call, for a checkpoint. */
  takeAdded(): Buffer<ArrayBuffer> {
    const bytes = Buffer.concat(this.#added);
    this.#added = [];
    return bytes;
  }

  /** Takes back what `takeAdded` gave. @throws record-invalid */
  restore(bytes: Uint8Array): void {
    const whole = bytes.length % bytesPerEntry === 0;
    for (let start = 0; whole && start < bytes.length; start += bytesPerEntry) {
      if (this.#insert(wordsOf(bytes.subarray(start, start + bytesPerEntry))) !== undefined) throw notIds();
    }
    if (!whole) throw notIds();
  }

  #insert(words: Uint32Array): number | undefined {
    const place = this.#find(words);
    const known = this.#table[place + lineWord];
    if (known !== 0) return known;
    this.#table.set(words, place);
    this.#size += 1;
    if (this.#size * 4 > this.#places * 3) this.#grow();
    return undefined;
  }

  /** Where these words are, or the free place where they would be. */
  #find(words: Uint32Array): number {
    for (let index = (words[0] ?? 0) % this.#places; ; index = (index + 1) % this.#places) {
      const place = index * wordsPerEntry;
      if (this.#table[place + lineWord] === 0 || this.#holds(place, words)) return place;
    }
  }

  #holds(place: number, words: Uint32Array): boolean {
    for (let word = 0; word < lineWord; word += 1) if (this.#table[place + word] !== words[word]) return false;
    return true;
  }

  #grow(): void {
    const old = this.#table;
    this.#places *= 2;
    this.#table = new Uint32Array(this.#places * wordsPerEntry);
    for (let start = 0; start < old.length; start += wordsPerEntry) {
      const words = old.subarray(start, start + wordsPerEntry);
      if (words[lineWord] !== 0) this.#table.set(words, this.#find(words));
    }
  }
}

function entryOf(id: string, line: number): Buffer {
  const entry = createHash('sha256').update(id).digest().subarray(0, bytesPerEntry);
  entry.writeUInt32LE(line, lineWord * 4);
  return entry;
}

function wordsOf(entry: Uint8Array): Uint32Array {
  const view = new DataView(entry.buffer, entry.byteOffset, bytesPerEntry);
  return Uint32Array.from({ length: wordsPerEntry }, (_, word) => view.getUint32(word * 4, true));
}

const notIds = (): NightstillError =>
  new NightstillError('record-invalid', `expected distinct row ids of ${bytesPerEntry} bytes each, found other bytes`);

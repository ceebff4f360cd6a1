/** The variables of one TensorFlow session: zeros until something is written, moved by groups and by ranges of rows. */
import { NightstillError } from '../../config/errors.js';
import type { Numbers } from '../tracing/program.js';
import { bytesOf, sizeOf, type TensorSpec } from '../tracing/tensor-spec.js';
import type { HeldFeed, NativeLibrary } from './native.js';
import { checkNumbers, checkRows } from './numbers.js';
import type { NamedNumbers, NumbersSource } from './runner.js';
import type { Group, RowAccess, VariableAccess } from './state-access.js';

/** How much of a large variable is written by one run. */
const chunkBytes = 8 * 1024 * 1024;

type AskForRows = (variable: VariableAccess, row: number, count: number) => Promise<Numbers> | Numbers;

export class SessionState {
  /** Groups that have no memory yet; a group gets it, as zeros, when the first run could see it. */
  readonly #empty: Set<Group>;
  readonly #groupOf = new Map<string, Group>();
  readonly #variables = new Map<string, VariableAccess>();

  constructor(
    readonly library: NativeLibrary,
    readonly session: number,
    groups: readonly Group[],
  ) {
    this.#empty = new Set(groups);
    for (const group of groups) {
      for (const variable of group.variables) {
        this.#groupOf.set(variable.name, group);
        this.#variables.set(variable.name, variable);
      }
    }
  }

  /** Fills the variables that have no content yet with zeros, in one run; called before a program runs. */
  fill(groups: Iterable<Group> = this.#empty): void {
    const empty = [...groups].filter((group) => this.#empty.has(group));
    if (empty.length === 0) return;
    this.library.run(
      this.session,
      [],
      empty.map(({ cleared }) => cleared),
    );
    for (const group of empty) this.#empty.delete(group);
  }

  read(names: readonly string[]): Record<string, Numbers> {
    const found = new Map<string, Numbers>();
    const groups = this.#groupsWith(names);
    this.fill(groups);
    for (const { variables } of groups) {
      const values = this.library.run(
        this.session,
        [],
        variables.map(({ read }) => read),
      );
      variables.forEach(({ name }, index) => {
        const numbers = values[index];
        if (numbers !== undefined) found.set(name, numbers);
      });
    }
    return Object.fromEntries(names.map((name) => [name, found.get(name) ?? new Float32Array()]));
  }

  write(values: NamedNumbers): void {
    const names = Object.keys(values);
    for (const name of names) checkNumbers(`variable "${name}"`, this.#variable(name).spec, values[name]);
    const groups = this.#groupsWith(names);
    const scratch = scratchOf(Math.max(0, ...groups.map(greatestWhole)));
    this.fill(groups.filter((group) => aloneIn(group)));
    for (const group of groups) this.#writeGroup(group, values, scratch);
  }

  /** Largest groups first: memory is fullest at the end, and what is being moved then is small. */
  async load(names: readonly string[], source: NumbersSource): Promise<void> {
    const grouped = [...this.#grouped(names)].sort(([, one], [, other]) => this.#bytes(other) - this.#bytes(one));
    const groups = grouped.map(([group]) => group);
    const scratch = scratchOf(Math.max(chunkBytes, ...groups.map(greatestWhole)));
    const ask = ({ name, spec }: VariableAccess, row: number, count: number): Promise<Numbers> | Numbers => {
      const length = count * sizeOf(spec.shape.slice(1));
      const fits = spec.dtype === 'float32' && length <= scratch.length;
      return fits ? source(name, row, count, scratch.subarray(0, length)) : source(name, row, count);
    };
    this.fill(groups.filter((group) => aloneIn(group)));
    for (const [group, wanted] of grouped) {
      const alone = aloneIn(group);
      if (alone) await this.#loadRows(alone, alone.rows, ask);
      else await this.#loadGroup(group, wanted, ask, scratch);
    }
  }

  /** Each array is handed to TensorFlow as soon as it is read: JavaScript holds one array of a group at a time. */
  async #loadGroup(group: Group, wanted: readonly string[], ask: AskForRows, scratch: Float32Array): Promise<void> {
    const kept = this.#readOthers(group, wanted);
    const held: HeldFeed[] = [];
    try {
      for (const variable of group.variables) {
        const given = kept[variable.name] ?? (await ask(variable, 0, variable.spec.shape[0] ?? 1));
        held.push(this.#hold(variable, given, scratch));
      }
      this.library.runHeld(this.session, held, [group.written]);
      this.#empty.delete(group);
    } finally {
      this.library.release(held);
    }
  }

  /** New content of a variable, which keeps that memory: as TensorFlow's own, copied by way of the scratch. */
  #hold({ name, spec, value }: VariableAccess, given: Numbers | undefined, scratch: Float32Array): HeldFeed {
    const values = checkNumbers(`variable "${name}"`, spec, given);
    return this.library.hold({ name: value, spec, values: copiedAtOnce(values, scratch) });
  }

  /** What the variables of a group hold that are not given: a group is written whole. */
  #readOthers(group: Group, given: readonly string[]): NamedNumbers {
    const others = group.variables.map(({ name }) => name).filter((name) => !given.includes(name));
    return others.length === 0 ? {} : this.read(others);
  }

  async #loadRows(variable: VariableAccess, rows: RowAccess, ask: AskForRows): Promise<void> {
    const { name, spec } = variable;
    const [length = 0, ...rest] = spec.shape;
    const chunk = rowsOfChunk(spec);
    for (let row = 0; row < length; row += chunk) {
      const count = Math.min(chunk, length - row);
      const values = await ask(variable, row, count);
      const whole = row === 0 && values.length === sizeOf(spec.shape);
      const given = { shape: whole ? spec.shape : [count, ...rest], dtype: spec.dtype };
      this.#writeRows(rows, spec, row, checkNumbers(`variable "${name}"`, given, values));
      if (whole) return;
    }
  }

  readRows(name: string, begin: number, count: number): Numbers {
    const { spec, rows } = this.#variable(name);
    const width = checkRows(name, spec, begin, count);
    if (rows === undefined)
      return (this.read([name])[name] ?? new Float32Array()).slice(begin * width, (begin + count) * width);
    this.fill(this.#groupsWith([name]));
    const [values = new Float32Array()] = this.library.run(this.session, boundsOf(rows, spec, begin, count), [
      rows.read,
    ]);
    return values;
  }

  writeRows(name: string, begin: number, values: Numbers): void {
    const { spec, rows } = this.#variable(name);
    const [length = 0, ...rest] = spec.shape;
    const count = length === 0 ? 0 : values.length / sizeOf(rest);
    const width = checkRows(name, spec, begin, count);
    checkNumbers(`rows of variable "${name}"`, { shape: [count, ...rest], dtype: spec.dtype }, values);
    if (rows === undefined) {
      const whole = this.read([name])[name] ?? new Float32Array();
      whole.set(values, begin * width);
      this.write({ [name]: whole });
      return;
    }
    this.fill(this.#groupsWith([name]));
    this.#writeRows(rows, spec, begin, values);
  }

  #writeGroup(group: Group, values: NamedNumbers, scratch: Float32Array): void {
    const alone = aloneIn(group);
    const numbers = alone && values[alone.name];
    if (alone && numbers) {
      this.#writeRows(alone.rows, alone.spec, 0, numbers);
      return;
    }
    const kept = this.#readOthers(group, Object.keys(values));
    const held: HeldFeed[] = [];
    try {
      for (const variable of group.variables)
        held.push(this.#hold(variable, values[variable.name] ?? kept[variable.name], scratch));
      this.library.runHeld(this.session, held, [group.written]);
      this.#empty.delete(group);
    } finally {
      this.library.release(held);
    }
  }

  /** In chunks: while a run lasts, what is fed to it exists twice. */
  #writeRows(rows: RowAccess, spec: TensorSpec, begin: number, values: Numbers): void {
    const rest = spec.shape.slice(1);
    const width = sizeOf(rest);
    const chunk = rowsOfChunk(spec);
    for (let row = 0; row < values.length / width; row += chunk) {
      const part = values.subarray(row * width, (row + chunk) * width);
      const count = part.length / width;
      const feed = { name: rows.values, spec: { shape: [count, ...rest], dtype: spec.dtype }, values: part };
      const [first, , end] = boundsOf(rows, spec, begin + row, count);
      this.library.run(this.session, [first, end, feed], [rows.written]);
    }
  }

  #variable(name: string): VariableAccess {
    const variable = this.#variables.get(name);
    if (variable !== undefined) return variable;
    throw new NightstillError('program-invalid', `expected a variable of the state, found "${name}"`);
  }

  #groupsWith(names: readonly string[]): Group[] {
    return [...this.#grouped(names).keys()];
  }

  /** The groups of some variables, with those of each. */
  #grouped(names: readonly string[]): Map<Group, string[]> {
    const grouped = new Map<Group, string[]>();
    for (const name of names) {
      this.#variable(name);
      const group = this.#groupOf.get(name);
      if (group !== undefined) grouped.set(group, [...(grouped.get(group) ?? []), name]);
    }
    return grouped;
  }

  #bytes(names: readonly string[]): number {
    return names.reduce((sum, name) => sum + bytesOf(this.#variable(name).spec), 0);
  }
}

/** A variable that is a group of its own and moves by rows. */
function aloneIn({ variables: [only, another] }: Group): (VariableAccess & { readonly rows: RowAccess }) | undefined {
  return only?.rows && !another ? { ...only, rows: only.rows } : undefined;
}

/** Bytes of the greatest variable that is moved at once. */
const greatestWhole = (group: Group): number =>
  aloneIn(group) ? 0 : Math.max(...group.variables.map(({ spec }) => bytesOf(spec)));

/**
 * Memory that what is fed passes through, one variable after another. TensorFlow does not copy an array that lies at a multiple of 16
 * bytes or more: it goes on reading it. One that begins an element later it copies at once, so that this one can be filled again while
 * TensorFlow works, and no variable changes with an array of JavaScript.
 */
const scratchOf = (bytes: number): Float32Array => misaligned(Float32Array, Math.ceil(bytes / 4));

const misaligned = <Values extends Numbers>(Kind: new (length: number) => Values, length: number): Values =>
  new Kind(length + 1).subarray(1) as Values;

/** The same numbers where TensorFlow copies them. */
function copiedAtOnce(values: Numbers, scratch: Float32Array): Numbers {
  if (values.buffer === scratch.buffer) return values;
  const isFloat = values instanceof Float32Array;
  const copy = isFloat
    ? scratch.subarray(0, values.length)
    : misaligned(values.constructor as new (length: number) => Numbers, values.length);
  copy.set(values);
  return copy;
}

const rowsOfChunk = ({ shape }: TensorSpec): number =>
  Math.max(1, Math.floor(chunkBytes / (4 * sizeOf(shape.slice(1)))));

type Bound = { readonly name: string; readonly spec: TensorSpec; readonly values: Int32Array };

/** Feeds for rows `begin` to `begin + count`: begin, size, end. */
function boundsOf(rows: RowAccess, { shape }: TensorSpec, begin: number, count: number): [Bound, Bound, Bound] {
  const rest = shape.slice(1);
  const spec: TensorSpec = { shape: [shape.length], dtype: 'int32' };
  return [
    { name: rows.begin, spec, values: Int32Array.of(begin, ...rest.map(() => 0)) },
    { name: rows.size, spec, values: Int32Array.of(count, ...rest) },
    { name: rows.end, spec, values: Int32Array.of(begin + count, ...rest) },
  ];
}

/**
 * Renders a Jinja template within bounds: a template is code that came with a model, and one that does not end, or doubles a
 * text again and again, must be refused. The bounds follow from the template and what it is given, never from a clock, so that
 * every machine refuses the same. Not bounded is what one operation costs within them, such as the search of a long text in
 * another.
 */
import {
  createScope,
  parseTemplate,
  ReferenceInterpreter,
  type TemplateNode,
  type TemplateScope,
  type TemplateValue,
} from './reference-template.js';

export type RenderTemplate = (variables: Readonly<Record<string, unknown>>) => string;

const maximumSource = 2 ** 20;
/** The library's search for tags costs the square of a run of spaces. */
const longSpace = /\s{1001}/;

/** For what it is given, in characters: some hundreds of steps a message are usual, and a text little longer than all. */
const stepsFor = (given: number): number => 2 ** 20 + 64 * given;
const textFor = (given: number, sourceLength: number): number => 2 ** 18 + 16 * (given + sourceLength);
const maximumNesting = 500;
/** As the sandbox of Jinja has it, in which transformers renders. */
const maximumRange = 100_000;
/** A step goes through so much of a text or a list in about the time of any other. */
const elementsOfStep = 64;

/** @throws Error when it cannot be parsed; what is returned throws when the template refuses its input, or goes beyond a bound */
export function compileTemplate(source: string): RenderTemplate {
  if (source.length > maximumSource)
    throw new Error(`expected a template of at most ${maximumSource} characters, found ${source.length}`);
  if (longSpace.test(source)) throw new Error('expected no more than 1000 spaces in a row, found more');
  const program = explained('expected whole tags and expressions, found a part', () => parseTemplate(source));
  return (variables) =>
    explained('expected values that its operations can take, found others', () => {
      const interpreter = new BoundedInterpreter(createScope({ ...globals, ...variables }), source.length);
      return String(interpreter.run(program).value);
    });
}

/** What every template may use; no clock. */
const globals = {
  true: true,
  false: false,
  none: null,
  True: true,
  False: false,
  None: null,
  raise_exception: (message: unknown): never => {
    throw new Error(String(message));
  },
  range: (first: unknown, second?: unknown, step: unknown = 1): number[] => {
    const [start, stop] = second === undefined ? [0, first] : [first, second];
    const length = Math.ceil((Number(stop) - Number(start)) / Number(step));
    if (!Number.isFinite(length)) throw new Error('expected numbers for range, and a step that is not 0');
    if (length > maximumRange) throw new Error(`expected a range of at most ${maximumRange} numbers, found ${length}`);
    return Array.from({ length: Math.max(0, length) }, (_, index) => Number(start) + index * Number(step));
  },
};

/** The library expects no input that ends too early or nests too deep: what it throws then says nothing. */
function explained<Result>(ofTypeError: string, act: () => Result): Result {
  try {
    return act();
  } catch (cause) {
    if (cause instanceof RangeError) throw new Error('expected less nesting and shorter texts, found more', { cause });
    if (cause instanceof TypeError) throw new Error(ofTypeError, { cause });
    // What break and continue throw has no words.
    if (cause instanceof Error && cause.message === '')
      throw new Error('expected break and continue in loops', { cause });
    throw cause;
  }
}

class BoundedInterpreter extends ReferenceInterpreter {
  readonly #sourceLength: number;
  readonly #mostText: number;
  readonly #mostSteps: number;
  /** Of lists and mappings, which never change: how long they are as text, about. Shared parts count each time. */
  readonly #weights = new WeakMap<object, number>();
  readonly #looped = new Set<unknown>();
  #steps = 0;
  #nesting = 0;

  constructor(scope: TemplateScope, sourceLength: number) {
    super(scope);
    this.#sourceLength = sourceLength;
    this.#mostText = this.#mostSteps = Infinity;
    const given = [...scope.variables.values()].reduce((sum, value) => sum + this.#weigh(value), 0);
    this.#mostText = textFor(given, sourceLength);
    this.#mostSteps = stepsFor(given);
    this.#steps = 0;
  }

  override evaluate(node: TemplateNode | undefined, scope: TemplateScope): TemplateValue | undefined {
    if (node === undefined) return super.evaluate(node, scope);
    this.#spend(1);
    if (node.type === 'For') this.#expectLoop(node);
    // The library looks through the body of a macro each time it is defined.
    if (node.type === 'Macro' || node.type === 'CallStatement') this.#spend(this.#sourceLength / elementsOfStep);
    const value = this.#evaluateWithin(node, scope);
    if (this.#weigh(value) > this.#mostText) throw tooMuch(`${this.#mostText} characters`);
    this.#spend(lengthOf(value) / (this.#looped.has(node) ? 1 : elementsOfStep));
    return value;
  }

  /** Loops are left by exceptions, too. */
  #evaluateWithin(node: TemplateNode, scope: TemplateScope): TemplateValue | undefined {
    if (++this.#nesting > maximumNesting) throw tooMuch(`${maximumNesting} levels of nesting`);
    try {
      return super.evaluate(node, scope);
    } finally {
      this.#nesting -= 1;
    }
  }

  /** A loop makes scopes for all of its elements before it begins. */
  #expectLoop(node: object): void {
    const iterable: unknown = 'iterable' in node ? node.iterable : undefined;
    this.#looped.add(iterable);
    if (typeof iterable === 'object' && iterable !== null && 'lhs' in iterable) this.#looped.add(iterable.lhs);
  }

  #spend(steps: number): void {
    this.#steps += steps;
    if (this.#steps > this.#mostSteps) throw tooMuch(`${this.#mostSteps} steps`);
  }

  /** @param value undefined is what some filters of the library make of nothing */
  #weigh(value: TemplateValue | undefined): number {
    const inner = value?.value;
    if (typeof inner === 'string') return 1 + inner.length;
    if (value === undefined || !isComposed(inner)) return 1;
    // A namespace can be changed, and hold itself.
    const changes = value.type === 'NamespaceValue';
    const known = changes ? undefined : this.#weights.get(value);
    if (known !== undefined) return known;
    const children = [...inner.values()];
    this.#spend(children.length);
    let weight = 1;
    for (const key of inner.keys()) weight += typeof key === 'string' ? key.length : 0;
    for (const child of children) {
      if (child?.type === 'NamespaceValue') throw new Error('expected no namespace within another value, found one');
      weight += this.#weigh(child);
    }
    if (!changes) this.#weights.set(value, weight);
    return weight;
  }
}

type Composed = readonly (TemplateValue | undefined)[] | ReadonlyMap<string, TemplateValue | undefined>;

const isComposed = (value: unknown): value is Composed => Array.isArray(value) || value instanceof Map;

const lengthOf = (found: TemplateValue | undefined): number => {
  const value = found?.value;
  if (typeof value === 'string' || Array.isArray(value)) return value.length;
  return value instanceof Map ? value.size : 0;
};

const tooMuch = (bound: string): Error => new Error(`expected a template that ends within ${bound}, found more`);

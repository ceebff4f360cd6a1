/**
 * Generates many sequences at once: a fixed number of slots, each with its part of a cache that lives in the session. Sequences
 * join and leave slots while others run. A step always computes every slot, and a prompt is padded to a length that follows from its
 * own and read in a call of as many prompts as that length always has, so the bits of a sequence depend on the loaded model and on the
 * request, not on what runs beside it.
 * Calls of programs are synchronous; between any two the event loop gets its turn.
 */
import { setImmediate } from 'node:timers/promises';
import { NightstillError } from '../../config/errors.js';
import { compile, type Session } from '../compile.js';
import type { ModelConfig } from '../files/model-config.js';
import type { NamedNumbers, NumbersSource, Runner } from '../runners/runner.js';
import type { Tokenizer } from '../text/tokenizer.js';
import type { Numbers } from '../tracing/program.js';
import { checkRequest, checkShape } from './checks.js';
import { decodingWeightSource, decodingWeightState } from './decoding-weights.js';
import { createEventQueue, type EventQueue } from './event-queue.js';
import { promptsOfCall } from './prompt-lengths.js';
import { generationPrograms, generationState, prefillName, type GenerationShape } from './programs.js';
import type { GenerationEvent, GenerationRequest } from './request.js';
import { mostProbableTokens } from './sampling.js';
import { createSequence, type KnownOfToken, type Sequence } from './sequence.js';

export interface GeneratorOptions extends GenerationShape {
  readonly runner: Runner;
  readonly config: ModelConfig;
  /** The tensors of the model by their names in its files, as float32. */
  readonly weights: NumbersSource;
  /** Without it events have no text, and stop strings are refused. Special tokens have no text. */
  readonly tokenizer?: Pick<Tokenizer, 'streamDecoder'>;
  /** Tokens that end any sequence. Default: those of the config. */
  readonly endOfSequence?: readonly number[];
  /**
   * Compile the step of all slots with XLA, where the runner knows XLA: faster with several threads, while the first step
   * takes seconds longer. Bits differ from those without. Default: false.
   */
  readonly xla?: boolean;
}

export interface Generator {
  /**
   * Begins as soon as a slot is free, in the order of the calls, whether or not anyone reads the events. Leaving the loop over
   * them ends the sequence. The last event is of kind 'end'.
   * @throws inference-setting-invalid, sequence-too-long at once; engine-failed while events are read, and distribution-invalid
   *   where the model's logits are no finite numbers, which ends that sequence alone
   */
  generate(request: GenerationRequest): AsyncIterable<GenerationEvent>;
  /** Frees the model. Sequences that run or wait end as cancelled. */
  dispose(): void;
}

/**
 * Compiles the programs and loads the weights.
 * @throws inference-setting-invalid, engine-failed, and whatever reading the weights throws
 */
export async function createGenerator(options: GeneratorOptions): Promise<Generator> {
  const { runner, config, weights, xla = false } = options;
  checkShape(config, options);
  const state = generationState(config, options);
  const session = await compile({ runner, state, programs: generationPrograms(config, options, xla) });
  try {
    await session.load(Object.keys(decodingWeightState(config)), decodingWeightSource(config, weights));
  } catch (error) {
    session.dispose();
    throw error;
  }
  return new SlotGenerator(options, session);
}

/** A sequence with its listener. */
interface Run {
  readonly sequence: Sequence;
  readonly events: EventQueue;
  /** Nobody listens any more. */
  abandoned: boolean;
}

interface Occupied {
  readonly slot: number;
  readonly run: Run;
}

/** A sequence that is due a token, with the most probable one; −1 where none is, since the logits are no finite numbers. */
interface Computed extends Occupied {
  readonly greedy: number;
}

interface Chosen extends Occupied {
  readonly id: number;
  readonly known: KnownOfToken;
}

class SlotGenerator implements Generator {
  readonly #options: GeneratorOptions;
  readonly #session: Session<string>;
  readonly #waiting: Run[] = [];
  readonly #slots: (Run | undefined)[];
  #pumping = false;

  constructor(options: GeneratorOptions, session: Session<string>) {
    this.#options = options;
    this.#session = session;
    this.#slots = Array.from({ length: options.slots }, () => undefined);
  }

  generate(request: GenerationRequest): AsyncIterable<GenerationEvent> {
    const { config, capacity, tokenizer, endOfSequence = config.endOfSequence } = this.#options;
    checkRequest(config, this.#options, request, tokenizer !== undefined);
    const decoder = tokenizer?.streamDecoder({ skipSpecialTokens: true });
    const sequence = createSequence({ request, endOfSequence, capacity, decoder });
    const run: Run = { sequence, events: createEventQueue(), abandoned: false };
    this.#waiting.push(run);
    void this.#pump();
    return listen(run);
  }

  dispose(): void {
    for (const run of this.#runs()) finish(run, [run.sequence.cancel()]);
    this.#clear();
    this.#session.dispose();
  }

  /** Works until nothing runs or waits. An error ends every sequence. */
  async #pump(): Promise<void> {
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      // Requests that are made in one synchronous stretch begin together.
      await setImmediate();
      while (this.#runs().length > 0) {
        this.#dropCancelled();
        await this.#admit();
        await this.#step();
        await setImmediate();
      }
    } catch (error) {
      for (const run of this.#runs()) run.events.close(error);
      this.#clear();
    } finally {
      this.#pumping = false;
    }
  }

  #runs(): Run[] {
    return [...this.#slots, ...this.#waiting].filter((run) => run !== undefined);
  }

  #clear(): void {
    this.#slots.fill(undefined);
    this.#waiting.length = 0;
  }

  #dropCancelled(): void {
    const isOver = (run: Run): boolean => run.abandoned || run.sequence.request.signal?.aborted === true;
    for (const run of this.#runs().filter(isOver)) {
      finish(run, [run.sequence.cancel()]);
      const slot = this.#slots.indexOf(run);
      if (slot >= 0) this.#slots[slot] = undefined;
      else this.#waiting.splice(this.#waiting.indexOf(run), 1);
    }
  }

  /** Reads prompts into the slots that are free: no more of them than there are slots, before those who run get their step. */
  async #admit(): Promise<void> {
    for (let read = 0; read < this.#slots.length;) {
      const { tokens, joining } = this.#nextPrompts(this.#slots.length - read);
      if (joining.length === 0) return;
      read += joining.length;
      for (const { slot, run } of joining) this.#slots[slot] = run;
      const { greedy } = this.#session.run(prefillName(tokens), promptInputs(joining, tokens, this.#slots.length));
      await this.#take(joining.map((joined, row) => ({ ...joined, greedy: greedy?.[row] ?? 0 })));
      await setImmediate();
      this.#dropCancelled();
    }
  }

  /** Takes from those that wait as many as one call reads and as there are free slots, `most` at most, in their order. */
  #nextPrompts(most: number): { readonly tokens: number; readonly joining: readonly Occupied[] } {
    const lengthOf = ({ sequence: { request } }: Run): number =>
      this.#options.promptLengths.find((length) => length >= request.prompt.length) ?? request.prompt.length;
    const [first] = this.#waiting;
    const tokens = first === undefined ? 0 : lengthOf(first);
    const free = [...this.#slots.keys()].filter((slot) => this.#slots[slot] === undefined);
    const joining: Occupied[] = [];
    for (const slot of free.slice(0, Math.min(most, promptsOfCall(tokens, this.#slots.length)))) {
      const [run] = this.#waiting;
      if (run === undefined || lengthOf(run) !== tokens) break;
      joining.push({ slot, run });
      this.#waiting.shift();
    }
    return { tokens, joining };
  }

  /** One token for every slot that has a sequence. */
  async #step(): Promise<void> {
    const occupied = [...this.#slots.entries()].flatMap(([slot, run]) => (run === undefined ? [] : [{ slot, run }]));
    if (occupied.length === 0) return;
    const newest = this.#slots.map((run) => run?.sequence.newest() ?? { id: 0, position: 0 });
    const { greedy } = this.#session.run('decode', {
      ids: Int32Array.from(newest, ({ id }) => id),
      positions: Int32Array.from(newest, ({ position }) => position),
    });
    await this.#take(occupied.map(({ slot, run }) => ({ slot, run, greedy: greedy?.[slot] ?? 0 })));
  }

  /** Gives each of these sequences its next token. */
  async #take(computed: readonly Computed[]): Promise<void> {
    const chosen: Chosen[] = [];
    for (const { slot, run } of computed.filter(({ greedy }) => greedy < 0)) this.#fail(slot, run);
    for (const { slot, run, greedy } of computed.filter((one) => one.greedy >= 0)) {
      const { sampling, mostProbable = 0 } = run.sequence.request;
      const logits = sampling === undefined && mostProbable === 0 ? undefined : await this.#logits(slot);
      const known = logits && mostProbable > 0 ? { mostProbable: mostProbableTokens(logits, mostProbable) } : {};
      chosen.push({ slot, run, id: run.sequence.choose(greedy, logits), known });
    }
    const probable = await this.#logProbabilities(chosen);
    for (const { slot, run, id, known } of chosen) {
      if (this.#slots[slot] !== run) continue; // the generator was disposed meanwhile, which has ended the sequence
      const events = run.sequence.accept(id, { ...probable.get(slot), ...known });
      if (events.at(-1)?.kind === 'end') {
        this.#slots[slot] = undefined;
        finish(run, events);
      } else run.events.push(events);
    }
  }

  /** Ends a sequence whose logits are no numbers. Nothing that it left in its slot outlasts the next prompt there. */
  #fail(slot: number, { sequence, events }: Run): void {
    events.close(noNumbers(sequence));
    this.#slots[slot] = undefined;
  }

  async #logits(slot: number): Promise<Float32Array> {
    const { logits } = await this.#ask('logits', { slot: Int32Array.of(slot) });
    return logits instanceof Float32Array ? logits : new Float32Array();
  }

  async #logProbabilities(chosen: readonly Chosen[]): Promise<ReadonlyMap<number, KnownOfToken>> {
    const wanted = chosen.filter(({ run }) => run.sequence.request.logProbabilities === true);
    if (wanted.length === 0) return new Map();
    const ids = new Int32Array(this.#slots.length);
    for (const { slot, id } of wanted) ids[slot] = id;
    const { logProbabilities } = await this.#ask('logProbabilities', { ids });
    return new Map(wanted.map(({ slot }) => [slot, { logProbability: logProbabilities?.[slot] ?? Number.NaN }]));
  }

  async #ask(program: string, inputs: NamedNumbers): Promise<Record<string, Numbers>> {
    await setImmediate();
    return this.#session.run(program, inputs);
  }
}

/** Of all prompts that a call reads: where fewer join, the first stands in the other rows too, and comes to the same numbers there. */
function promptInputs(joining: readonly Occupied[], tokens: number, slots: number): NamedNumbers {
  const rows = Array.from({ length: promptsOfCall(tokens, slots) }, (_, row) => joining[row] ?? joining[0]);
  const ids = new Int32Array(rows.length * tokens);
  const [last, slotsOfRows] = [new Int32Array(rows.length), new Int32Array(rows.length)];
  for (const [row, joined] of rows.entries()) {
    const { prompt } = joined?.run.sequence.request ?? { prompt: new Int32Array() };
    // Padded with its own last token: what is masked then has no more extreme numbers than the prompt.
    ids.fill(prompt.at(-1) ?? 0, row * tokens, (row + 1) * tokens);
    ids.set(prompt, row * tokens);
    last[row] = prompt.length - 1;
    slotsOfRows[row] = joined?.slot ?? 0;
  }
  return { ids, last, slots: slotsOfRows };
}

const noNumbers = ({ newest, request: { prompt } }: Sequence): NightstillError =>
  new NightstillError(
    'distribution-invalid',
    `expected finite logits for new token ${newest().position - prompt.length + 2} of a prompt of ${prompt.length} tokens, found NaN or +∞`,
  );

function finish({ events }: Run, last: readonly GenerationEvent[]): void {
  events.push(last);
  events.close();
}

async function* listen(run: Run): AsyncGenerator<GenerationEvent, void, undefined> {
  try {
    yield* run.events;
  } finally {
    run.abandoned = true;
  }
}

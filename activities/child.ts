/**
 * Supervises a stage's child process. It promises that when it returns or throws, the child is gone; that a child which
 * hangs (also one that only repeats itself), dies or talks nonsense becomes an error with a code and its last printed lines; and that an abort asks the
 * child to make its work durable, bears with it while it shows work, up to an end, and then kills it. That the child goes when the parent dies is the
 * child's own duty: it watches the other end of its link (`workers/child-link.ts`).
 */
import { asNightstillError, NightstillError } from '../config/errors.js';
import { isFailureCode } from '../config/failures.js';
import { formatDuration } from '../config/format-duration.js';
import {
  childProtocolVersion,
  showsWork,
  type ChildFailure,
  type FromChild,
  type Progress,
} from '../config/child-protocol.js';
import type { Json } from '../config/json.js';
import { parseFromChild, startChild, type ChildExit, type ChildHandle } from './child-process.js';
import { killedForMemory, ranOutOfMemory } from './out-of-memory.js';

/** Milliseconds that a child may be silent in a phase, or say the same. `start` is the time from its start to its first message. */
export type SilenceLimits = Readonly<Record<string, number>> & { readonly start: number };

export interface ChildRequest {
  /** Absolute path of the compiled program. */
  readonly entry: string;
  /** The whole environment of the child; absent: that of this process. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly job: Json;
  readonly silenceLimitsMs: SilenceLimits;
  /** Answers what the child asks. Time spent here does not count as the child's silence. */
  readonly answer: (question: Json) => Promise<Json>;
  readonly onProgress: (progress: Progress, pid: number | undefined) => void;
  readonly signal: AbortSignal;
  /** The longest that it may go on once `signal` has asked it to stop, while it shows work; default: `longestStopMs`. */
  readonly stopWithinMs?: (reason: unknown) => number;
  /** How long it may take to exit once it has said its last, before it is killed; default 25,000. */
  readonly exitWithinMs?: number;
}

const defaultExitWithinMs = 25_000;
/** Where nothing presses: long enough for any save, and the end of a child that works on as if nobody had asked. */
export const longestStopMs = 30 * 60_000;
/** A step that is being computed, or a part of a save: whoever asked it to stop waits for no more without a sign. */
const longestStoppingSilenceMs = 2 * 60_000;

/**
 * Runs the child to its end and returns its result.
 * @throws child-start-failed, child-died, out-of-memory, child-silent, child-protocol, the code that the child failed with, or the reason
 *   of `signal` when that was aborted first
 */
export async function superviseChild(request: ChildRequest): Promise<Json> {
  const { signal } = request;
  signal.throwIfAborted();
  const supervision = new Supervision(request);
  const onAbort = (): void => supervision.stop();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return supervision.outcome(await supervision.exited);
  } finally {
    signal.removeEventListener('abort', onAbort);
    supervision.close();
  }
}

class Supervision {
  readonly #request: ChildRequest;
  readonly #child: ChildHandle;
  #exit: NodeJS.Timeout | undefined;
  #stop: NodeJS.Timeout | undefined;
  #silence: NodeJS.Timeout | undefined;
  readonly #killedBefore = killedForMemory();
  #phase = 'start';
  #last: Progress | undefined;
  #unanswered = 0;
  #greeted = false;
  #saidLast = false;
  #isClosed = false;
  #result: { readonly value: Json } | undefined;
  #failure: NightstillError | undefined;

  constructor(request: ChildRequest) {
    this.#request = request;
    this.#child = startChild(request, (line) => this.#read(line));
    this.#child.send({ type: 'job', job: request.job });
    this.#watchSilence();
  }

  get exited(): Promise<ChildExit> {
    return this.#child.exited;
  }

  stop(): void {
    const { signal, stopWithinMs } = this.#request;
    this.#child.send({ type: 'stop' });
    const reason: unknown = signal.reason;
    this.#stop = setTimeout(() => this.#child.kill(), stopWithinMs?.(reason) ?? longestStopMs);
    this.#watchSilence();
  }

  /** What its end means, now that it is gone. */
  outcome(exit: ChildExit): Json {
    if (this.#result) return this.#result.value;
    this.#request.signal.throwIfAborted();
    if (this.#failure) throw this.#failure;
    const end = exit.startError?.message ?? (exit.signal === null ? `exit code ${exit.code}` : `signal ${exit.signal}`);
    if (this.#ranOutOfMemory(exit))
      throw this.#error(
        'out-of-memory',
        `expected a result in phase "${this.#phase}", found that memory ran out, and ${end}`,
      );
    throw this.#greeted || exit.signal !== null
      ? this.#error('child-died', `expected a result in phase "${this.#phase}", found its end by ${end}`)
      : this.#error('child-start-failed', `expected a greeting of ${this.#request.entry}, found its end by ${end}`);
  }

  #ranOutOfMemory({ signal }: ChildExit): boolean {
    const [said, killedBefore] = [this.#child.saidOutOfMemory(), this.#killedBefore];
    return ranOutOfMemory({ signal, said, killedBefore, killedSince: killedForMemory() });
  }

  close(): void {
    clearTimeout(this.#silence);
    clearTimeout(this.#exit);
    clearTimeout(this.#stop);
    this.#isClosed = true; // an answer may still be awaited
  }

  #read(line: string): void {
    const message = parseFromChild(line);
    if (message === undefined)
      return this.#giveUp('child-protocol', `expected a message, found ${line.length} characters`);
    if (message.type === 'progress') return this.#progress(message.progress);
    this.#take(message);
    this.#watchSilence();
  }

  #progress(progress: Progress): void {
    const works = showsWork(this.#last, progress);
    this.#last = progress;
    this.#phase = progress.phase;
    this.#request.onProgress(progress, this.#child.pid);
    if (works) this.#watchSilence();
  }

  #take(message: Exclude<FromChild, { readonly type: 'progress' }>): void {
    switch (message.type) {
      case 'hello':
        this.#greeted = true;
        if (message.version !== childProtocolVersion)
          this.#giveUp('child-protocol', `expected protocol ${childProtocolVersion}, found ${message.version}`);
        break;
      case 'ask':
        void this.#answer(message.id, message.question);
        break;
      case 'result':
        this.#result = message;
        this.#saidItsLast();
        break;
      case 'failed':
        this.#failure ??= errorOf(message.failure);
        this.#saidItsLast();
        break;
    }
  }

  #saidItsLast(): void {
    this.#saidLast = true;
    // Also a Node that is ending may hang: its threads can wait for one another for ever (nodejs/node#54918).
    this.#exit ??= setTimeout(() => this.#child.kill(), this.#request.exitWithinMs ?? defaultExitWithinMs);
  }

  async #answer(id: number, question: Json): Promise<void> {
    this.#unanswered += 1;
    try {
      this.#child.send({ type: 'answer', id, value: await this.#request.answer(question) });
    } catch (error) {
      this.#failure ??= asNightstillError(error);
      this.#child.send({ type: 'refusal', id, reason: error instanceof Error ? error.message : String(error) });
    } finally {
      this.#unanswered -= 1;
      this.#watchSilence();
    }
  }

  #watchSilence(): void {
    clearTimeout(this.#silence);
    if (this.#saidLast || this.#isClosed || this.#unanswered > 0) return;
    const { silenceLimitsMs } = this.#request;
    // How long a phase without a limit takes is not known: the least of the limits would end work that goes well.
    const phaseLimitMs = silenceLimitsMs[this.#phase] ?? Math.max(...Object.values(silenceLimitsMs));
    const limitMs = this.#stop === undefined ? phaseLimitMs : Math.min(phaseLimitMs, longestStoppingSilenceMs);
    this.#silence = setTimeout(
      () =>
        this.#giveUp(
          'child-silent',
          `expected some progress within ${formatDuration(limitMs)} in phase "${this.#phase}", found none`,
        ),
      limitMs,
    );
  }

  #giveUp(code: 'child-silent' | 'child-protocol', message: string): void {
    this.#failure ??= this.#error(code, message);
    this.#child.kill();
  }

  #error(
    code: 'child-start-failed' | 'child-died' | 'child-silent' | 'child-protocol' | 'out-of-memory',
    message: string,
  ): NightstillError {
    const printed = this.#child.lastLines();
    return new NightstillError(code, printed === '' ? message : `${message}; its last lines:\n${printed}`);
  }
}

function errorOf({ code, message, details, stack }: ChildFailure): NightstillError {
  const known = isFailureCode(code);
  const error = new NightstillError(known ? code : 'unexpected', known ? message : `${code}: ${message}`, { details });
  error.stack = stack;
  return error;
}

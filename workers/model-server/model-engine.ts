/**
 * The model as the server sees it: a process that generates and scores. What is asked for ends at once when its signal is
 * aborted, whatever the process is busy with; the slot is free after the step or the prompt that runs. When the process is gone, everything
 * that was asked of it fails.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Variables } from '../../config/environment.js';
import { NightstillError } from '../../config/errors.js';
import { isFailureCode } from '../../config/failures.js';
import { processSettings, type GenerationEvent, type GenerationRequest } from '../../engine/index.js';
import type { EngineFacts, EngineFailure, EngineJob, FromEngine, PromptScore, ToEngine } from './engine-protocol.js';

export interface ModelEngine {
  readonly facts: EngineFacts;
  /** The process ended though nobody asked it to. */
  readonly died: Promise<NightstillError>;
  /** The last event is of kind 'end', with reason 'cancelled' once the signal is aborted. */
  generate(request: Omit<GenerationRequest, 'signal'>, signal: AbortSignal): AsyncIterable<GenerationEvent>;
  /** @throws the reason of `signal` */
  score(prompt: Int32Array, signal: AbortSignal): Promise<PromptScore>;
  close(): Promise<void>;
}

/** Starts the process and waits until the model is loaded. @throws what loading throws, child-died */
export async function startModelEngine(job: EngineJob, variables: Variables): Promise<ModelEngine> {
  const child = fork(fileURLToPath(new URL('./engine-child.js', import.meta.url)), [], {
    serialization: 'advanced',
    env: { ...variables, ...processSettings({ threads: job.threads }) },
    // What TensorFlow prints is no output of the server.
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const engine = new EngineProcess(child);
  try {
    const facts = await engine.load(job);
    return Object.assign(engine, { facts });
  } catch (error) {
    await engine.close();
    throw error;
  }
}

interface Listener {
  take(message: FromEngine): void;
  fail(error: NightstillError): void;
}

class EngineProcess implements Omit<ModelEngine, 'facts'> {
  readonly died: Promise<NightstillError>;
  readonly #child: ChildProcess;
  readonly #exited: Promise<void>;
  readonly #listeners = new Map<number, Listener>();
  /** Of the model that loads. */
  #loading: Listener | undefined;
  #asked = 0;
  #isClosing = false;
  #end: NightstillError | undefined;

  constructor(child: ChildProcess) {
    this.#child = child;
    child.on('message', (message: FromEngine) => this.#take(message));
    this.#exited = new Promise((resolve) => child.once('close', () => resolve()).once('error', () => resolve()));
    this.died = new Promise((resolve) => {
      child.once('exit', (status, signal) => {
        const error = this.#failAll(`expected the process of the model to go on, found its end: ${signal ?? status}`);
        if (!this.#isClosing) resolve(error);
      });
      child.once('error', ({ message }) => resolve(this.#failAll(message)));
    });
  }

  load(job: EngineJob): Promise<EngineFacts> {
    return new Promise((resolve, reject) => {
      this.#loading = {
        take: (message) => message.type === 'ready' && resolve(message.facts),
        fail: reject,
      };
      this.#send({ type: 'load', job });
    });
  }

  async *generate(request: Omit<GenerationRequest, 'signal'>, signal: AbortSignal): AsyncGenerator<GenerationEvent> {
    const events = new PassThrough({ objectMode: true });
    const id = this.#listen({
      take: (message) => message.type === 'event' && events.write(message.event),
      fail: (error) => events.destroy(error),
    });
    const cancel = (): void => void events.write({ kind: 'end', reason: 'cancelled', text: '' });
    let ended = false;
    try {
      signal.addEventListener('abort', cancel);
      if (signal.aborted) cancel();
      else this.#send({ type: 'generate', id, request });
      for await (const event of events as AsyncIterable<GenerationEvent>) {
        ended = event.kind === 'end' && event.reason !== 'cancelled';
        yield event;
        if (event.kind === 'end') return;
      }
    } finally {
      signal.removeEventListener('abort', cancel);
      this.#listeners.delete(id);
      if (!ended) this.#send({ type: 'cancel', id });
    }
  }

  async score(prompt: Int32Array, signal: AbortSignal): Promise<PromptScore> {
    signal.throwIfAborted();
    let forget = (): void => undefined;
    try {
      const score = await new Promise<PromptScore | undefined>((resolve, reject) => {
        const id = this.#listen({
          take: (message) => message.type === 'scored' && resolve(message.score),
          fail: reject,
        });
        const abort = (): void => {
          this.#send({ type: 'cancel', id });
          resolve(undefined);
        };
        forget = () => {
          signal.removeEventListener('abort', abort);
          this.#listeners.delete(id);
        };
        signal.addEventListener('abort', abort);
        this.#send({ type: 'score', id, prompt });
      });
      if (score !== undefined) return score;
      throw signal.reason;
    } finally {
      forget();
    }
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    this.#child.kill('SIGKILL');
    await this.#exited;
  }

  #listen(listener: Listener): number {
    const id = (this.#asked += 1);
    if (this.#end === undefined) this.#listeners.set(id, listener);
    else listener.fail(this.#end);
    return id;
  }

  #take(message: FromEngine): void {
    const listener = 'id' in message && message.id !== undefined ? this.#listeners.get(message.id) : this.#loading;
    if (message.type === 'failed') listener?.fail(errorOf(message.failure));
    else listener?.take(message);
  }

  #failAll(why: string): NightstillError {
    const error = new NightstillError('child-died', why);
    this.#end = error;
    this.#loading?.fail(error);
    for (const listener of this.#listeners.values()) listener.fail(error);
    return error;
  }

  #send(message: ToEngine): void {
    // It may be dead already, before its exit event: that event then fails everything that was asked.
    if (this.#child.connected) this.#child.send(message, () => undefined);
  }
}

const errorOf = ({ code, message }: EngineFailure): NightstillError =>
  new NightstillError(isFailureCode(code) ? code : 'unexpected', message);

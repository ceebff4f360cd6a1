/**
 * The child's side of the link to its parent. It promises that the child ends when the parent is gone, in the middle of its
 * work, within two seconds also when it blocks. It is asked to stop by message or by SIGTERM, and by nothing else: a Ctrl-C in a
 * terminal reaches the whole process group, but the parent decides what becomes of the child.
 */
import { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { Worker } from 'node:worker_threads';
import { asNightstillError, NightstillError } from '../config/errors.js';
import {
  childLinkDescriptor,
  childProtocolVersion,
  type FromChild,
  type Progress,
  type ToChild,
} from '../config/child-protocol.js';
import type { Json } from '../config/json.js';

export interface ChildContext {
  readonly job: Json;
  /** Aborted when the parent wants the work to end: make it durable, then throw the reason. */
  readonly stop: AbortSignal;
  /** Cheap: between two changes of phase or durable step, a message is sent a few times a second and at every fortieth of the phase. */
  readonly progress: (progress: Progress) => void;
  /** Asks the parent. */
  readonly ask: (question: Json) => Promise<Json>;
}

const progressIntervalMs = 250;
/** Of short work, whoever watches closely hears each of so many parts, however fast it is. */
const partsOfPhase = 40;

/** Runs the work of a child process, tells the parent how it went, and ends the process. */
export async function runChild(work: (context: ChildContext) => Promise<Json>): Promise<void> {
  const link = new ParentLink();
  try {
    const value = await work(await link.context());
    await link.sendLast({ type: 'result', value });
  } catch (error) {
    const { code, message, details } = asNightstillError(error);
    const stack = (error instanceof Error && error.stack) || '';
    await link.sendLast({ type: 'failed', failure: { code, message, details, stack } });
  }
  process.exit(0);
}

/** As the parent says it: it may be gone already. */
function parentId(): number {
  const [, said] = /^--parent=(\d+)$/.exec(process.argv.at(-1) ?? '') ?? [];
  return said === undefined ? process.ppid : Number(said);
}

class ParentLink {
  readonly #socket = new Socket({ fd: childLinkDescriptor, readable: true, writable: true });
  readonly #stop = new AbortController();
  readonly #questions = new Map<number, { resolve: (value: Json) => void; reject: (error: Error) => void }>();
  readonly #job: Promise<Json>;
  #giveJob: (job: Json) => void = () => undefined;
  #asked = 0;
  #sent: Progress | undefined;
  #sentAtMs = 0;

  constructor() {
    new Worker(new URL('./parent-watch.js', import.meta.url), { workerData: { parent: parentId() } }).unref();
    this.#job = new Promise((resolve) => (this.#giveJob = resolve));
    const parentGone = (): void => process.exit(1);
    this.#socket.on('end', parentGone).on('close', parentGone).on('error', parentGone);
    createInterface({ input: this.#socket }).on('line', (line) => this.#take(JSON.parse(line) as ToChild));
    process.on('SIGINT', () => undefined).on('SIGTERM', () => this.#askToStop());
    this.#send({ type: 'hello', version: childProtocolVersion });
  }

  async context(): Promise<ChildContext> {
    return {
      job: await this.#job,
      stop: this.#stop.signal,
      progress: (progress) => this.#progress(progress),
      ask: (question) => this.#ask(question),
    };
  }

  sendLast(message: FromChild): Promise<void> {
    return new Promise((resolve) => this.#socket.write(lineOf(message), () => resolve()));
  }

  #take(message: ToChild): void {
    switch (message.type) {
      case 'job':
        return this.#giveJob(message.job);
      case 'stop':
        return this.#askToStop();
      case 'answer':
        return this.#questions.get(message.id)?.resolve(message.value);
      case 'refusal':
        return this.#questions.get(message.id)?.reject(new NightstillError('operation-aborted', message.reason));
    }
  }

  #askToStop(): void {
    this.#stop.abort(new NightstillError('operation-aborted', 'the parent asked this process to stop'));
  }

  #ask(question: Json): Promise<Json> {
    const id = (this.#asked += 1);
    this.#send({ type: 'ask', id, question });
    return new Promise<Json>((resolve, reject) => this.#questions.set(id, { resolve, reject })).finally(() =>
      this.#questions.delete(id),
    );
  }

  #progress(progress: Progress): void {
    const last = this.#sent;
    const isNews =
      last?.phase !== progress.phase ||
      last.durable?.step !== progress.durable?.step ||
      partDone(last) !== partDone(progress);
    if (!isNews && performance.now() - this.#sentAtMs < progressIntervalMs) return;
    this.#sent = progress;
    this.#sentAtMs = performance.now();
    this.#send({ type: 'progress', progress });
  }

  #send(message: FromChild): void {
    this.#socket.write(lineOf(message));
  }
}

const partDone = ({ facts: { done = 0, of = 0 } = {} }: Progress): number =>
  of > 0 ? Math.floor((partsOfPhase * done) / of) : 0;

const lineOf = (message: FromChild): string => `${JSON.stringify(message)}\n`;

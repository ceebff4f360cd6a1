/**
 * Runs queries that nobody vouches for against one SQLite database, one after another, each within limits of time, memory,
 * rows and bytes. A query never harms the database, the process or the next query: a thread that ran out of time or memory
 * is ended and replaced. SQLite comes as WebAssembly (sql.js) and is loaded with the first query.
 */
import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import { NightstillError } from '../../config/errors.js';
import { endThread, nextAnswer } from '../scorers/thread-answer.js';
import { refused, type QueryOutcome } from './query-outcome.js';
import { queryProgram } from './query-program.js';
import { beginsAsQuery } from './statement.js';

export interface QueryLimits {
  /** Wall clock of one query. Default: 10 s. */
  readonly timeMs: number;
  /** What SQLite may allocate. Default: 64 MiB. */
  readonly memoryBytes: number;
  /** Default: 10,000. */
  readonly rows: number;
  /** Text and blobs of all rows together. Default: 16 MiB. */
  readonly resultBytes: number;
  /** Length of the SQL. Default: 20,000. */
  readonly characters: number;
}

const defaultQueryLimits: QueryLimits = {
  timeMs: 10_000,
  memoryBytes: 64 * 2 ** 20,
  rows: 10_000,
  resultBytes: 16 * 2 ** 20,
  characters: 20_000,
};

export interface QueryRunner {
  /** Never throws because of the query: what is wrong with it is the outcome. @throws child-died when no thread can start */
  run(sql: string): Promise<QueryOutcome>;
  /** How many threads were started so far. */
  readonly threadsStarted: number;
  close(): Promise<void>;
}

export interface QueryRunnerOptions {
  /** A SQLite database file; it is copied for every query. */
  readonly database: Uint8Array;
  readonly limits?: Partial<QueryLimits>;
  /** What `date('now')` says. Default: the first moment of 2026, in UTC. */
  readonly now?: Date;
}

export function createQueryRunner({ database, limits, now }: QueryRunnerOptions): QueryRunner {
  return new ThreadedRunner(database, { ...defaultQueryLimits, ...limits }, now ?? new Date('2026-01-01T00:00:00Z'));
}

class ThreadedRunner implements QueryRunner {
  readonly #database: Uint8Array;
  readonly #limits: QueryLimits;
  readonly #now: Date;
  #worker: Worker | undefined;
  #last: Promise<unknown> = Promise.resolve();
  threadsStarted = 0;

  constructor(database: Uint8Array, limits: QueryLimits, now: Date) {
    this.#database = database;
    this.#limits = limits;
    this.#now = now;
  }

  run(sql: string): Promise<QueryOutcome> {
    const outcome = this.#last.then(() => this.#run(sql));
    this.#last = outcome.catch(() => undefined);
    return outcome;
  }

  async close(): Promise<void> {
    await this.#last;
    await this.#endThread();
  }

  async #run(sql: string): Promise<QueryOutcome> {
    if (sql.length > this.#limits.characters)
      return refused('too-long', `more than ${this.#limits.characters} characters`);
    if (!beginsAsQuery(sql)) return refused('not-a-query', 'expected one SELECT, or WITH and a SELECT');
    this.#worker ??= await this.#startThread();
    const outcome = await ask(this.#worker, sql, this.#limits.timeMs);
    // Whoever ran out of time still runs; whoever ran out of memory may have left less of it to the next query.
    if (outcome.kind === 'refused' && (outcome.reason === 'time-limit' || outcome.reason === 'memory-limit'))
      await this.#endThread();
    return outcome;
  }

  async #startThread(): Promise<Worker> {
    const worker = new Worker(queryProgram, {
      eval: true,
      name: 'nightstill-sql',
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: 256 },
      workerData: {
        sqlJs: createRequire(import.meta.url).resolve('sql.js/dist/sql-wasm.js'),
        database: this.#database,
        limits: this.#limits,
        nowMs: this.#now.getTime(),
      },
    });
    this.threadsStarted += 1;
    const answer = await nextAnswer(worker);
    if (answer.kind === 'ended')
      throw new NightstillError('child-died', `the thread that runs SQL did not start: ${answer.why}`);
    return worker;
  }

  async #endThread(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    await endThread(worker);
  }
}

/** One question to the thread. A thread that dies of it has met the limit of its JavaScript heap: nothing else ends it. */
async function ask(worker: Worker, sql: string, timeMs: number): Promise<QueryOutcome> {
  const answer = nextAnswer(worker, timeMs);
  worker.postMessage(sql);
  const reached = await answer;
  if (reached.kind === 'message') return reached.message as QueryOutcome; // of our own program
  if (reached.kind === 'late') return refused('time-limit', `not done after ${timeMs} ms`);
  return refused('memory-limit', reached.why);
}

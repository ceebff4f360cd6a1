/**
 * Scorers of a user's own, out of the module that a worker was configured with. They run in a thread, one answer after another: one
 * that blocks, never ends or takes the memory ends the evaluation with a code that names scorer and item, and not the process.
 */
import { Worker } from 'node:worker_threads';
import { NightstillError } from '../../config/errors.js';
import { describeScorers, type ScorerDescription } from './describe-scorers.js';
import { ownScorersProgram } from './own-scorers-program.js';
import type { Score, Scorer, ScorerQuestion } from './scorer.js';
import { endThread, hearEnd, nextAnswer } from './thread-answer.js';

const loadLimitMs = 120_000;

/**
 * Loads the module, and runs what it does when it is loaded.
 * @param module absolute path
 * @throws scorers-invalid
 */
export async function openOwnScorers(module: string): Promise<readonly Scorer[]> {
  const worker = new Worker(ownScorersProgram, {
    eval: true,
    name: 'nightstill-scorers',
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: 1024 },
    workerData: { module },
  });
  const goneBecause = hearEnd(worker);
  try {
    const described = describeScorers(await listed(worker, module), `${module}: scorers`);
    return scorersOf(worker, described, goneBecause);
  } catch (error) {
    await endThread(worker);
    throw error;
  }
}

interface Loaded {
  readonly scorers?: unknown;
  readonly failed?: string;
}

async function listed(worker: Worker, module: string): Promise<unknown> {
  const answer = await nextAnswer(worker, loadLimitMs);
  const why =
    answer.kind === 'message'
      ? (answer.message as Loaded).failed // of our own program
      : answer.kind === 'late'
        ? `nothing after ${loadLimitMs} ms`
        : answer.why;
  if (answer.kind === 'message' && why === undefined) return (answer.message as Loaded).scorers;
  throw new NightstillError('scorers-invalid', `${module}: expected a module that can be loaded, found: ${why}`);
}

function scorersOf(
  worker: Worker,
  described: readonly ScorerDescription[],
  goneBecause: () => string | undefined,
): Scorer[] {
  let last: Promise<unknown> = Promise.resolve();
  return described.map((scorer, index) => ({
    ...scorer,
    score(question) {
      // One at a time: what takes too long is the question that was asked.
      const score = last.then(() => {
        const why = goneBecause();
        if (why === undefined) return ask(worker, { ...scorer, index }, question);
        throw new NightstillError(
          'scorer-failed',
          `scorer ${scorer.id}: expected a thread that runs it, found: ${why}`,
        );
      });
      last = score.catch(() => undefined);
      return score;
    },
    close: () => endThread(worker),
  }));
}

interface Asked extends ScorerDescription {
  readonly index: number;
}

/** `evaluateItems` checks the score: those of other scorers as well. */
async function ask(worker: Worker, { id, index, timeLimitMs }: Asked, question: ScorerQuestion): Promise<Score> {
  const answer = nextAnswer(worker, timeLimitMs);
  worker.postMessage({ index, question });
  const reached = await answer;
  const place = `scorer ${id}, item ${question.item.id}`;
  const details = { scorer: id, item: question.item.id };
  if (reached.kind === 'late') {
    await endThread(worker);
    const message = `${place}: expected a score within ${timeLimitMs} ms, found none`;
    throw new NightstillError('scorer-timeout', message, { details });
  }
  const said = reached.kind === 'message' ? (reached.message as { score?: Score; failed?: string }) : undefined;
  if (said?.score !== undefined) return said.score;
  const why = said?.failed ?? (reached.kind === 'ended' ? reached.why : 'nothing');
  throw new NightstillError('scorer-failed', `${place}: expected a score, found: ${why}`, { details });
}

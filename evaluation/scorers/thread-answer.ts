/** What a thread answers, its end among it: nobody waits for a thread that is gone, or longer than it was given. */
import type { Worker } from 'node:worker_threads';

export type ThreadAnswer =
  | { readonly kind: 'message'; readonly message: unknown }
  | { readonly kind: 'late' }
  | { readonly kind: 'ended'; readonly why: string };

/** What comes first: a message of the thread, its end, or the end of the time given to it. */
export async function nextAnswer(worker: Worker, timeMs?: number): Promise<ThreadAnswer> {
  return new Promise((resolve) => {
    const timer = timeMs === undefined ? undefined : setTimeout(() => end({ kind: 'late' }), timeMs);
    const onMessage = (message: unknown): void => end({ kind: 'message', message });
    const onError = (error: unknown): void => end({ kind: 'ended', why: String(error) });
    const onExit = (): void => end({ kind: 'ended', why: 'the thread ended' });
    const end = (answer: ThreadAnswer): void => {
      clearTimeout(timer);
      worker.off('message', onMessage).off('exit', onExit);
      if (answer.kind !== 'ended') worker.off('error', onError);
      resolve(answer);
    };
    worker.on('message', onMessage).on('error', onError).on('exit', onExit);
  });
}

/**
 * Listens for as long as the thread lives: one that fails while nobody waits for an answer would end the process.
 * @returns why it can be asked no more, undefined while it can
 */
export function hearEnd(worker: Worker): () => string | undefined {
  let why: string | undefined;
  worker.on('error', (error) => (why ??= String(error))).once('exit', () => (why ??= 'it ended'));
  return () => why;
}

/** Whatever it does: its last words are heard by nobody. */
export async function endThread(worker: Worker | undefined): Promise<void> {
  worker?.on('error', () => undefined);
  await worker?.terminate();
}

/**
 * Did a process end because memory ran out? Node says so with its last words; the kernel says nothing to the victim, but counts
 * whom it kills for memory. Where neither can be told, it is a death like any other.
 */
import { readFileSync } from 'node:fs';

/** How many processes of this host the kernel has killed for memory so far; undefined where it does not say. */
export function killedForMemory(): number | undefined {
  try {
    const [, count] = /^oom_kill (\d+)$/m.exec(readFileSync('/proc/vmstat', 'utf8')) ?? [];
    return count === undefined ? undefined : Number(count);
  } catch {
    return undefined;
  }
}

/** Is it what a process says whose memory ran out? Many lines may follow. */
export const saysOutOfMemory = (line: string): boolean => /heap out of memory|std::bad_alloc/.test(line);

export interface ProcessEnd {
  readonly signal: string | null;
  /** It has said so itself. */
  readonly said: boolean;
  /** As `killedForMemory` said when it was started, and says now. */
  readonly killedBefore: number | undefined;
  readonly killedSince: number | undefined;
}

export function ranOutOfMemory({ signal, said, killedBefore, killedSince }: ProcessEnd): boolean {
  const counts = killedBefore !== undefined && killedSince !== undefined;
  return said || (signal === 'SIGKILL' && counts && killedSince > killedBefore);
}

/**
 * Kills each training once, in the middle of it: after half of its steps, when a checkpoint is durable and more steps than one
 * would be lost. It decides by the steps that are reported, and by no clock: on every machine the same is shown. Who has saved too
 * often for that is killed at three quarters all the same.
 */
import type { ChildProgress } from '../../config/child-protocol.js';

export interface Kill {
  readonly node: string;
  readonly pid: number;
  /** The last that it had reported. */
  readonly step: number;
  /** How many the training has. */
  readonly of: number;
  /** Where the process after it began; absent while it has not. */
  readonly resumedFrom?: number;
}

const leastLost = 2;

export class MidwayKills {
  readonly #kills = new Map<string, Kill>();
  readonly #kill: (pid: number) => void;

  /** @param kill throws where there is no such process any more */
  constructor(kill: (pid: number) => void) {
    this.#kill = kill;
  }

  get all(): readonly Kill[] {
    return [...this.#kills.values()];
  }

  take({ node, pid, progress: { phase, durable, facts = {} } }: ChildProgress): void {
    const { done, of } = facts;
    if (phase !== 'train' || done === undefined || of === undefined) return;
    const killed = this.#kills.get(node);
    if (killed === undefined) {
      if (isMidway({ done, of, durable: durable?.step ?? 0 }) && this.#ended(pid))
        this.#kills.set(node, { node, pid, step: done, of });
    }
    // On its way when it was killed.
    else if (killed.pid === pid) this.#kills.set(node, { ...killed, step: done });
    else if (killed.resumedFrom === undefined) this.#kills.set(node, { ...killed, resumedFrom: done });
  }

  #ended(pid: number): boolean {
    try {
      this.#kill(pid);
      return true;
    } catch {
      return false;
    }
  }
}

const isMidway = ({ done, of, durable }: Readonly<Record<'done' | 'of' | 'durable', number>>): boolean =>
  durable >= 1 && done >= of / 2 && done < of && (done - durable >= leastLost || done >= (of * 3) / 4);

/** `student: killed with SIGKILL at step 23 of 40 (process 4711), resumed from step 18: 5 steps were lost and done again`. */
export function sayKill({ node, pid, step, of, resumedFrom }: Kill): string {
  const killed = `${node}: killed with SIGKILL at step ${step} of ${of} (process ${pid})`;
  if (resumedFrom === undefined) return killed;
  const lost = step - resumedFrom;
  return `${killed}, resumed from step ${resumedFrom}: ${lost} ${lost === 1 ? 'step was' : 'steps were'} lost and done again`;
}

/**
 * Cores of the host, lent to the processes that compute on it: together they never run more threads than there are cores,
 * whichever workers and users started them. A core is held by a socket name that ends with the process, so a lease is never left
 * behind. A process that is stopped keeps its cores: it is ended by whoever has claimed the same stage since, and all others are told
 * its id. Linux only; on other systems every lease is granted.
 */
import { availableParallelism } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { NightstillError } from '../config/errors.js';
import { readEnvironment } from '../config/environment.js';
import { formatDuration } from '../config/format-duration.js';
import type { ChildPhase } from '../config/child-phases.js';
import type { Progress } from '../config/child-protocol.js';
import { holdSocket } from './abstract-socket.js';
import { announceHolder, endSuperseded, stoppedHolders, type CoreClaim } from './core-holders.js';

export interface CoreRequest {
  readonly threads: number;
  readonly claim: CoreClaim;
  /** Called again and again while other processes hold the cores. */
  readonly onWait: (held: number) => void;
  readonly signal: AbortSignal;
  /** How many there are to be lent. */
  readonly cores: number;
  /** Leases under another name do not know of each other. */
  readonly name?: string;
  /** How long a process that is stopped is waited for. Default: 60,000. */
  readonly stoppedLimitMs?: number;
}

const lookEveryMs = 200;
const defaultStoppedLimitMs = 60_000;

/**
 * Holds as many cores as there are threads, until this process ends. A process that wants more threads than there are cores
 * holds all of them, and is slower for it: how many it runs is part of what it computes. Cores are collected by one process at
 * a time: so no two wait for each other's cores, and one that wants many is not overtaken by those that want few. Whose turn is next
 * is left to chance.
 * @throws cores-held when a process that does not go on is in the way, and the reason of `signal`
 */
export async function holdCores(request: CoreRequest): Promise<void> {
  const { claim, cores, name = 'nightstill' } = request;
  const wanted = Math.min(request.threads, cores);
  if (process.platform !== 'linux' || wanted === 0) return;
  await announceHolder(name, claim);
  const held = new Map<number, () => void>();
  const patience = new Patience({ ...request, name });
  let endTurn = await holdSocket(`${name}-turn`);
  for (; endTurn === undefined; endTurn = await holdSocket(`${name}-turn`)) await patience.wait(held.size);
  try {
    for (;;) {
      for (let core = 0; core < cores && held.size < wanted; core++) {
        const letGo = held.has(core) ? undefined : await holdSocket(`${name}-core-${core}`);
        if (letGo) held.set(core, letGo);
      }
      if (held.size === wanted) return;
      await patience.wait(held.size);
    }
  } catch (error) {
    for (const letGo of held.values()) letGo();
    throw error;
  } finally {
    endTurn();
  }
}

/** Those of this host, for the child of a stage: it says that it waits. */
export function holdCoresOfHost(
  threads: number,
  claim: CoreClaim,
  { progress, stop }: { readonly progress: (progress: Progress) => void; readonly stop: AbortSignal },
): Promise<void> {
  const cores = readEnvironment().cores ?? availableParallelism();
  const of = Math.min(threads, cores);
  const onWait = (held: number): void =>
    progress({
      phase: 'waiting for cores' satisfies ChildPhase,
      facts: { done: held, of, unit: 'cores' },
      waits: true,
    });
  return holdCores({ threads, claim, cores, onWait, signal: stop });
}

/** Without end for processes that compute; limited for those that are stopped. */
class Patience {
  readonly #request: CoreRequest & { readonly name: string };
  #noneStoppedAtMs = performance.now();

  constructor(request: CoreRequest & { readonly name: string }) {
    this.#request = request;
  }

  async wait(held: number): Promise<void> {
    const { name, claim, onWait, signal, stoppedLimitMs = defaultStoppedLimitMs } = this.#request;
    onWait(held);
    await endSuperseded(name, claim);
    const stopped = await stoppedHolders(name);
    const nowMs = performance.now();
    if (stopped.length === 0) this.#noneStoppedAtMs = nowMs;
    if (nowMs - this.#noneStoppedAtMs > stoppedLimitMs)
      throw new NightstillError(
        'cores-held',
        `expected free cores on this host, found that they are held, and for ${formatDuration(stoppedLimitMs)} by processes that are stopped: ${stopped.join(', ')}`,
      );
    await delay(lookEveryMs, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
}

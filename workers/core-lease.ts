/**
 * Cores of the host, lent to the processes that compute on it: taken together their threads never exceed the cores, whichever
 * workers and users started them. A core is held by listening on an abstract socket of its name, which one process of a host can
 * do at a time and which the kernel ends with the process, however that ends: a lease needs no return and cannot be left behind.
 * Linux only; on other systems every lease is granted.
 */
import { createServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { NightstillError } from '../config/errors.js';

export interface CoreRequest {
  readonly threads: number;
  /** Called again and again while other processes hold the cores. */
  readonly onWait: (held: number) => void;
  readonly signal: AbortSignal;
  /** How many there are to be lent. */
  readonly cores: number;
  /** Leases under another name do not know of each other. */
  readonly name?: string;
}

const lookEveryMs = 200;

/**
 * Holds as many cores as there are threads, until this process ends. Cores are collected by one process at a time, so that no
 * two wait for each other, and whoever came first is served first.
 * @throws numerics-unavailable for more threads than cores, and the reason of `signal`
 */
export async function holdCores(request: CoreRequest): Promise<void> {
  const { threads, onWait, signal, cores, name = 'nightstill' } = request;
  if (threads > cores)
    throw new NightstillError(
      'numerics-unavailable',
      `numerics.threads: expected at most ${cores}, the cores of this host that may be used, found ${threads}`,
    );
  if (process.platform !== 'linux' || threads === 0) return;
  const held = new Map<number, () => void>();
  const wait = async (): Promise<void> => {
    onWait(held.size);
    await delay(lookEveryMs, undefined, { signal }).catch(() => signal.throwIfAborted());
  };
  let endTurn = await tryHold(`${name}-turn`);
  for (; endTurn === undefined; endTurn = await tryHold(`${name}-turn`)) await wait();
  try {
    for (;;) {
      for (let core = 0; core < cores && held.size < threads; core++) {
        const letGo = held.has(core) ? undefined : await tryHold(`${name}-core-${core}`);
        if (letGo) held.set(core, letGo);
      }
      if (held.size === threads) return;
      await wait();
    }
  } catch (error) {
    for (const letGo of held.values()) letGo();
    throw error;
  } finally {
    endTurn();
  }
}

/** Of the address of a socket: releases of libuv differ in what they make of a shorter name. */
const nameBytes = 107;

/** Returns what lets go of it; undefined when somebody holds it. */
function tryHold(name: string): Promise<(() => void) | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((connection) => connection.destroy());
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error),
    );
    server.listen({ path: `\0${name.padEnd(nameBytes, '.')}` }, () => {
      server.unref();
      resolve(() => void server.close());
    });
  });
}

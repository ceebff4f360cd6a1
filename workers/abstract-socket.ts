/**
 * Names that one process of a host can hold at a time, and that the kernel takes away with the process, however that ends: it
 * listens on an abstract socket of that name (Linux; every network namespace has names of its own).
 */
import { createServer } from 'node:net';

/** Of the address of a socket: releases of libuv differ in what they make of a shorter name. */
const nameBytes = 107;

/** Returns what lets go of it; undefined when somebody holds it. */
export function holdSocket(name: string): Promise<(() => void) | undefined> {
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

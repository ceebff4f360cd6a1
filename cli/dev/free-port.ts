/** A port of this machine that nobody listens on: the wanted one, or any. */
import { createServer } from 'node:net';

export async function freePort(wanted?: number): Promise<number> {
  return (wanted !== undefined && (await listenOnce(wanted))) || (await listenOnce(0)) || 0;
}

/** The port, or undefined where it is taken. */
function listenOnce(port: number): Promise<number | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' ? address?.port : undefined));
    });
  });
}

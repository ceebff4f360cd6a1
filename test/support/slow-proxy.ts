/**
 * A TCP proxy that lets answers through at so many bytes a second: it makes a small dataset take as long as a large one, so
 * that a test can interrupt its import while it is truly in flight.
 */
import { once } from 'node:events';
import { createServer, connect, type Server, type Socket } from 'node:net';
import { Transform, type TransformCallback } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';

export class SlowProxy {
  /** May be changed while it runs. */
  bytesPerSecond: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #target: URL;

  private constructor(target: string, bytesPerSecond: number) {
    this.#target = new URL(target);
    this.bytesPerSecond = bytesPerSecond;
    this.#server = createServer((socket) => this.#forward(socket));
  }

  /** @param target the endpoint of the real server */
  static async start(target: string, bytesPerSecond: number): Promise<SlowProxy> {
    const proxy = new SlowProxy(target, bytesPerSecond);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get endpoint(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('expected a TCP port');
    return `http://127.0.0.1:${address.port}`;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #forward(near: Socket): void {
    const far = connect(Number(this.#target.port), this.#target.hostname);
    for (const socket of [near, far]) {
      this.#sockets.add(socket);
      socket.once('close', () => {
        this.#sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
      socket.on('error', () => undefined);
    }
    pipeline(near, far).catch(() => undefined);
    pipeline(far, this.#throttle(), near).catch(() => undefined);
  }

  #throttle(): Transform {
    const pause = (bytes: number): Promise<void> => delay((1000 * bytes) / this.bytesPerSecond);
    return new Transform({
      transform(chunk: Buffer, _encoding, done: TransformCallback): void {
        void pause(chunk.length).then(() => done(null, chunk));
      },
    });
  }
}

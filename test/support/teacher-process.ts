/**
 * A counting teacher in a process of its own, so that it can be killed; it comes back at its place. What it is asked it writes down
 * before it answers, so that it is counted though it dies of it. It knows no request again. While it is held it takes requests and
 * answers none.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from './free-port.js';
import type { Hold } from './holding-proxy.js';
import { startProgram, type RunningProcess } from './processes.js';

export interface TeacherPlace {
  readonly port: number;
  /** A line for each request. */
  readonly log: string;
  /** A file: while it is there, only as many requests are answered as it says. */
  readonly hold: string;
}

export class TeacherProcess {
  #process: RunningProcess | undefined;
  #holds = 0;
  /** While it is held: how many requests are answered. */
  #answered: number | undefined;

  private constructor(
    private readonly place: TeacherPlace,
    /** How many requests are under way at most. */
    readonly parallel: number,
  ) {}

  /** @param directory for what it writes down */
  static async start(directory: string, parallel: number): Promise<TeacherProcess> {
    const place = { port: await freePort(), log: join(directory, 'asked'), hold: join(directory, 'hold') };
    writeFileSync(place.log, '');
    const teacher = new TeacherProcess(place, parallel);
    await teacher.start();
    return teacher;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${this.place.port}/v1`;
  }

  /** The keys that it was asked for, in order, by all its processes. */
  get asked(): readonly string[] {
    return readFileSync(this.place.log, 'utf8').split('\n').slice(0, -1);
  }

  /** Again, after a kill. It answers whatever comes. */
  async start(): Promise<void> {
    const words = [JSON.stringify(this.place)];
    this.#process = await startProgram('test/support/children/teacher-child.js', words, {}, 'teacher ready');
  }

  async kill(): Promise<void> {
    this.#process?.signal('SIGKILL');
    await this.#process?.exited;
  }

  /**
   * From now on nothing is answered, apart from the next so many requests; what is held already stays so. It holds once it has as
   * many others as are under way at a time.
   */
  hold(letThrough = 0): Pick<Hold, 'holds' | 'release'> {
    const number = (this.#holds += 1);
    const askedBefore = this.asked.length;
    this.#answered = (this.#answered ?? askedBefore) + letThrough;
    writeFileSync(this.place.hold, String(this.#answered));
    const isFull = (): boolean => this.asked.length - askedBefore - letThrough >= this.parallel;
    return {
      get holds() {
        return isFull();
      },
      // A later one goes on.
      release: () => (number === this.#holds ? this.release() : undefined),
    };
  }

  release(): void {
    this.#answered = undefined;
    rmSync(this.place.hold, { force: true });
  }
}

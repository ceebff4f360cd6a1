import { queueHealth, type WorkerSighting } from '../../../config/queue-health.js';
import { WorkerWords } from '../../../config/worker-words.js';

const intervalMs = 2000;
const begunMs = 10_000_000;

/** Who looks every second at a worker that speaks every two, until it is killed, and whose clock is late. */
class Watch {
  readonly #words = new WorkerWords();

  constructor(
    readonly lateMs: number,
    readonly killedAtMs = Infinity,
    readonly changes: Partial<WorkerSighting> = {},
  ) {}

  at(seconds: number) {
    const nowMs = begunMs + seconds * 1000;
    const spokeAtMs = Math.floor(Math.min(nowMs, this.killedAtMs) / intervalMs) * intervalMs;
    const word = { key: '1', identity: 'a', saidAtMs: spokeAtMs - this.lateMs, intervalMs, ending: false };
    return queueHealth({ pollers: [], workers: this.#words.heard([{ ...word, ...this.changes }], nowMs) }, nowMs);
  }

  through(seconds: number): ReturnType<typeof queueHealth>[] {
    return Array.from({ length: seconds + 1 }, (_, second) => this.at(second));
  }
}

const served = ({ served: is }: { readonly served: boolean }): boolean => is;
const doubted = ({ inDoubt }: { readonly inDoubt?: true }): boolean => inDoubt === true;

describe('a worker that lives', () => {
  it.each([0, 7000, 60_000, 3_600_000, -60_000])(
    'is never called missing, and is in doubt until its first new word at most, when its clock is %d ms late',
    (lateMs) => {
      const healths = new Watch(lateMs).through(60);
      expect(healths.every(served)).toBe(true);
      expect(healths.slice(2).some(doubted)).toBe(false);
    },
  );
});

describe('a worker that was killed', () => {
  it.each([0, 7000, 60_000, 3_600_000, -60_000])(
    'while it was watched is missing nine seconds after its last word, when its clock is %d ms late',
    (lateMs) => {
      const healths = new Watch(lateMs, begunMs + 20_000).through(40);
      const missing = healths.findIndex((health) => !health.served);
      expect(missing).toBeGreaterThanOrEqual(20 + 8);
      expect(missing).toBeLessThanOrEqual(20 + 9);
    },
  );

  it('before anybody looked is in doubt for as long as a live one would take to speak twice, then missing', () => {
    const healths = new Watch(0, begunMs - 60_000).through(6);
    expect(healths.slice(0, 4).every((health) => served(health) && doubted(health))).toBe(true);
    expect(healths.slice(4).some(served)).toBe(false);
  });

  it('and spoke once a minute, or said that it ends, is missing at once', () => {
    expect(new Watch(0, begunMs - 200_000, { intervalMs: 60_000 }).at(0)).toMatchObject({ served: false });
    expect(new Watch(0, begunMs - 60_000, { ending: true }).at(0)).toMatchObject({ served: false });
  });
});

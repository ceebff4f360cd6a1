import { findPart, providePart, refuse, type Attempt, type Part, type Source } from '../../../tools/part.js';
import { recordedContext } from '../../support/setup-context.js';

const found = { version: '1.0.0', from: 'a test', kind: 'executable', location: '/bin/true' } as const;

class CountingSource implements Source {
  asked = 0;
  constructor(
    readonly name: string,
    readonly effort: Source['effort'],
    private readonly answer: () => Attempt,
  ) {}

  attempt(): Promise<Attempt> {
    this.asked += 1;
    return new Promise((resolve) => resolve(this.answer()));
  }
}

const partOf = (...sources: Source[]): Part => ({
  name: 'sample',
  purpose: 'a test',
  version: '1.0.0',
  optional: false,
  sources,
});

describe('the sources of a part', () => {
  it('are asked in order, and the first that has it wins', async () => {
    const first = new CountingSource('PATH', 'look', () => refuse('not there'));
    const second = new CountingSource('cache', 'look', () => ({ found }));
    const third = new CountingSource('build', 'work', () => ({ found }));
    const outcome = await providePart(partOf(first, second, third), recordedContext({}));
    expect(outcome).toMatchObject({ found, refusals: [{ source: 'PATH', why: 'not there' }] });
    expect([first.asked, second.asked, third.asked]).toEqual([1, 1, 0]);
  });

  it('say why not in one line each, and the next is tried', async () => {
    const silent = new CountingSource('PATH', 'look', () => refuse('no sample on PATH'));
    const failing = new CountingSource('download', 'work', () => {
      throw new Error('the network refuses\nand has much to say about it');
    });
    const context = recordedContext({});
    const outcome = await providePart(
      partOf(silent, failing, new CountingSource('build', 'work', () => ({ found }))),
      context,
    );
    expect(outcome.found).toEqual(found);
    expect(context.lines).toEqual([
      'sample: not from PATH: no sample on PATH',
      'sample: not from download: the network refuses',
    ]);
  });

  it('that work are not asked when somebody only looks', async () => {
    const build = new CountingSource('build', 'work', () => ({ found }));
    const outcome = await findPart(partOf(build), recordedContext({}));
    expect(outcome.found).toBeUndefined();
    expect(build.asked).toBe(0);
  });

  it('that the user did not ask for are passed over without a word', async () => {
    const named = new CountingSource('named', 'look', () => refuse('never reached'));
    const context = recordedContext({});
    const outcome = await providePart(
      partOf({ name: named.name, effort: 'look', applies: () => false, attempt: () => named.attempt() }),
      context,
    );
    expect([named.asked, outcome.refusals, context.lines]).toEqual([0, [], []]);
  });
});

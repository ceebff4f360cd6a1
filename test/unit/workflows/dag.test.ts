import fc from 'fast-check';
import type { NeedyNode } from '../../../config/needs.js';
import type { FailurePolicy } from '../../../config/plan.js';
import { runDag } from '../../../workflows/dag.js';

const cancelled = new Error('cancelled');

interface Played {
  readonly turns: (id: string) => number;
  /** What the node throws, if it does. */
  readonly fails?: (id: string) => Error | undefined;
  readonly onFailure?: FailurePolicy;
}

/** Runs a plan whose nodes take the turns given and fail where told; checks needs at every start. */
async function play(nodes: readonly NeedyNode[], { turns, fails, onFailure = 'fail-fast' }: Played) {
  const started: string[] = [];
  const skipped: string[] = [];
  /** How many had started when everything was asked to end. */
  const stops: number[] = [];
  let mostAtOnce = 0;
  let running = 0;
  const run = async ({ id, needs }: NeedyNode, needed: Readonly<Record<string, string>>): Promise<string> => {
    expect(Object.keys(needed).toSorted()).toEqual([...needs].toSorted());
    started.push(id);
    running += 1;
    mostAtOnce = Math.max(mostAtOnce, running);
    for (let turn = 0; turn < turns(id); turn += 1) await Promise.resolve();
    running -= 1;
    const failure = fails?.(id);
    if (failure) throw failure;
    return `result of ${id}`;
  };
  const end = await runDag(nodes, {
    run,
    skipped: ({ id }) => skipped.push(id),
    stop: () => stops.push(started.length),
    onFailure,
    isCancellation: (error) => error === cancelled,
  });
  expect(running).toBe(0);
  return { started, skipped, stops, mostAtOnce, ...end };
}

const node = (id: string, ...needs: readonly string[]): NeedyNode => ({ id, needs });
const idsOf = (nodes: readonly NeedyNode[]): string[] => nodes.map(({ id }) => id);

/** Any graph without cycles: a node needs some of those before it. */
const graphs = fc
  .array(fc.array(fc.nat(100), { maxLength: 3 }), { minLength: 1, maxLength: 12 })
  .map((rows) =>
    rows.map((picks, index) =>
      node(`n${index}`, ...new Set(index === 0 ? [] : picks.map((pick) => `n${pick % index}`))),
    ),
  );
const turns = fc.func(fc.nat(5));
const picks = fc.array(fc.nat(100), { minLength: 1, maxLength: 3 });

/** Some nodes of a graph, and the error of each. */
const failing = (graph: readonly NeedyNode[], picked: readonly number[]): ReadonlyMap<string, Error> =>
  new Map(picked.map((pick) => graph[pick % graph.length]!.id).map((id) => [id, new Error(`${id} failed`)]));

/** Everything that needs one of these, directly or not; written apart from the code under test. */
function dependantsOf(graph: readonly NeedyNode[], ids: ReadonlySet<string>): string[] {
  const reaches = ({ needs }: NeedyNode): boolean =>
    needs.some((need) => ids.has(need) || reaches(graph.find(({ id }) => id === need)!));
  return idsOf(graph.filter(reaches));
}

describe('the scheduler', () => {
  it('runs every node once, after all that it needs, in any order of the file', async () => {
    await fc.assert(
      fc.asyncProperty(graphs, turns, fc.nat(), async (graph, turnsOf, rotation) => {
        const at = rotation % graph.length;
        const { started, skipped, stops, results, failures } = await play([...graph.slice(at), ...graph.slice(0, at)], {
          turns: turnsOf,
        });
        expect(started.toSorted()).toEqual(idsOf(graph).toSorted());
        expect({ skipped, stops, failures }).toEqual({ skipped: [], stops: [], failures: [] });
        expect(results).toEqual(Object.fromEntries(idsOf(graph).map((id) => [id, `result of ${id}`])));
      }),
    );
  });

  it('starts nodes in the same order whenever they take the same turns, and ready ones in the order of the plan', async () => {
    await fc.assert(
      fc.asyncProperty(graphs, turns, async (graph, turnsOf) => {
        const once = await play(graph, { turns: turnsOf });
        expect((await play(graph, { turns: turnsOf })).started).toEqual(once.started);
        const roots = idsOf(graph.filter(({ needs }) => needs.length === 0));
        expect(once.started.slice(0, roots.length)).toEqual(roots);
      }),
    );
  });

  it('runs nodes side by side that need nothing of each other', async () => {
    const { mostAtOnce } = await play([node('a'), node('b'), node('c', 'a', 'b')], { turns: () => 3 });
    expect(mostAtOnce).toBe(2);
  });

  it('does not wait for a node that nothing ready needs', async () => {
    const { started } = await play([node('slow'), node('quick'), node('after', 'quick'), node('last', 'slow')], {
      turns: (id) => (id === 'slow' ? 50 : 0),
    });
    expect(started).toEqual(['slow', 'quick', 'after', 'last']);
  });

  it('passes over a node whose work throws before it is begun', async () => {
    const thrown = new Error('at once');
    const end = await runDag([node('a'), node('b')], {
      run: ({ id }) => {
        if (id === 'a') throw thrown;
        return Promise.resolve(id);
      },
      skipped: () => undefined,
      stop: () => undefined,
      onFailure: 'finish-others',
      isCancellation: () => false,
    });
    expect(end).toEqual({ results: { b: 'b' }, failures: [thrown] });
  });
});

describe('after a failure', () => {
  it('fail-fast starts nothing any more, asks what runs to end, awaits it and skips the rest', async () => {
    await fc.assert(
      fc.asyncProperty(graphs, turns, picks, async (graph, turnsOf, picked) => {
        const errors = failing(graph, picked);
        const { started, skipped, stops, failures } = await play(graph, {
          turns: turnsOf,
          fails: (id) => errors.get(id),
        });
        expect(stops).toEqual([started.length]);
        expect(errors.get(started.find((id) => errors.get(id) === failures[0]) ?? '')).toBe(failures[0]);
        expect([...started, ...skipped].toSorted()).toEqual(idsOf(graph).toSorted());
        expect(skipped).toEqual(idsOf(graph).filter((id) => skipped.includes(id)));
      }),
    );
  });

  it('finish-others skips exactly what depends on a failed node, and finishes everything else', async () => {
    await fc.assert(
      fc.asyncProperty(graphs, turns, picks, async (graph, turnsOf, picked) => {
        const errors = failing(graph, picked);
        const lost = dependantsOf(graph, new Set(errors.keys()));
        const { skipped, stops, results, failures } = await play(graph, {
          turns: turnsOf,
          fails: (id) => errors.get(id),
          onFailure: 'finish-others',
        });
        expect(stops).toEqual([]);
        expect(skipped.toSorted()).toEqual(lost.toSorted());
        const ran = idsOf(graph).filter((id) => !lost.includes(id));
        expect(Object.keys(results).toSorted()).toEqual(ran.filter((id) => !errors.has(id)).toSorted());
        expect(new Set(failures)).toEqual(new Set(ran.flatMap((id) => errors.get(id) ?? [])));
      }),
    );
  });

  it.each<FailurePolicy>(['fail-fast', 'finish-others'])(
    'that is a cancellation, %s starts nothing',
    async (policy) => {
      const graph = [node('a'), node('b'), node('c', 'b'), node('d', 'c')];
      const { started, skipped, stops } = await play(graph, {
        turns: (id) => (id === 'b' ? 9 : 0),
        fails: (id) => (id === 'a' ? cancelled : undefined),
        onFailure: policy,
      });
      expect({ started, skipped, stops }).toEqual({ started: ['a', 'b'], skipped: ['c', 'd'], stops: [2] });
    },
  );
});

describe('a plan that cannot be followed is refused before anything starts', () => {
  it.each<[string, NeedyNode[], string]>([
    [
      'a cycle',
      [node('a'), node('b', 'a', 'c'), node('c', 'b')],
      'nodes: expected needs without a cycle, found b → c → b',
    ],
    ['a node that needs itself', [node('a', 'a')], 'nodes: expected needs without a cycle, found a → a'],
    [
      'a need that is no node',
      [node('a'), node('b', 'a', 'nobody')],
      'nodes[1].needs[1]: expected one of a, b, found nobody',
    ],
    ['an id that is used twice', [node('a'), node('a')], 'nodes[1].id: expected an id of its own, found a'],
  ])('%s, with its path', async (_, graph, message) => {
    let started = 0;
    const end = runDag(graph, {
      run: () => Promise.resolve((started += 1)),
      skipped: () => undefined,
      stop: () => undefined,
      onFailure: 'fail-fast',
      isCancellation: () => false,
    });
    await expect(end).rejects.toMatchObject({ code: 'plan-invalid', message });
    expect(started).toBe(0);
  });

  it('any cycle, and the nodes of the message are one', async () => {
    await fc.assert(
      fc.asyncProperty(graphs, fc.nat(), fc.nat(), async (graph, from, to) => {
        const [one, other] = [from % graph.length, to % graph.length].toSorted((a, b) => a - b) as [number, number];
        const closed = graph.map((candidate, index) =>
          index === one ? node(candidate.id, ...candidate.needs, `n${other}`) : candidate,
        );
        const isCycle = one === other || dependantsOf(graph, new Set([`n${one}`])).includes(`n${other}`);
        const end = await play(closed, { turns: () => 0 }).catch((error: unknown) => error as Error);
        if (!isCycle) return expect(end).toMatchObject({ failures: [] });
        const walk = /found (.*)$/.exec((end as Error).message)![1]!.split(' → ');
        expect(walk.length).toBeGreaterThan(1);
        expect(walk.at(-1)).toBe(walk[0]);
        for (const [index, id] of walk.slice(0, -1).entries())
          expect(closed.find((candidate) => candidate.id === id)!.needs).toContain(walk[index + 1]);
      }),
    );
  });
});

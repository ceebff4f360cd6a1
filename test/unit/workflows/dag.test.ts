import fc from 'fast-check';
import { runDag, type DagNode } from '../../../workflows/dag.js';

interface Trace {
  readonly started: string[];
  readonly skipped: string[];
  mostAtOnce: number;
}

/** Runs a plan whose nodes take the turns given and fail where told; checks needs at every start. */
async function trace(nodes: readonly DagNode[], turns: (id: string) => number, fails: (id: string) => boolean) {
  const seen: Trace = { started: [], skipped: [], mostAtOnce: 0 };
  let running = 0;
  const run = async ({ id, needs }: DagNode, needed: Readonly<Record<string, string>>): Promise<string> => {
    expect(Object.keys(needed).toSorted()).toEqual([...needs].toSorted());
    seen.started.push(id);
    running += 1;
    seen.mostAtOnce = Math.max(seen.mostAtOnce, running);
    for (let turn = 0; turn < turns(id); turn += 1) await Promise.resolve();
    running -= 1;
    if (fails(id)) throw new Error(`${id} failed`);
    return `result of ${id}`;
  };
  const end = runDag(nodes, { run, skipped: ({ id }) => seen.skipped.push(id) });
  const results = await end.catch((error: unknown) => (error instanceof Error ? error : new Error('not an error')));
  expect(running).toBe(0);
  return { ...seen, results };
}

const node = (id: string, ...needs: readonly string[]): DagNode => ({ id, needs });
const never = (): boolean => false;

/** Any graph without cycles: a node needs some of those before it. */
const graphs = fc
  .array(fc.array(fc.nat(100), { maxLength: 3 }), { minLength: 1, maxLength: 12 })
  .map((rows) =>
    rows.map((picks, index) =>
      node(`n${index}`, ...new Set(index === 0 ? [] : picks.map((pick) => `n${pick % index}`))),
    ),
  );
const turns = fc.func(fc.nat(5));

describe('the scheduler', () => {
  it('runs every node once, after all that it needs, in any order of the file', async () => {
    await fc.assert(
      fc.asyncProperty(graphs, turns, fc.nat(), async (graph, turnsOf, rotation) => {
        const at = rotation % graph.length;
        const { started, skipped, results } = await trace([...graph.slice(at), ...graph.slice(0, at)], turnsOf, never);
        expect(started.toSorted()).toEqual(graph.map(({ id }) => id).toSorted());
        expect(skipped).toEqual([]);
        expect(results).toEqual(Object.fromEntries(graph.map(({ id }) => [id, `result of ${id}`])));
      }),
    );
  });

  it('starts nothing after a failure, awaits what runs, skips the rest and throws the failure', async () => {
    await fc.assert(
      fc.asyncProperty(graphs, turns, fc.nat(), async (graph, turnsOf, pick) => {
        const failing = graph[pick % graph.length]?.id ?? '';
        const { started, skipped, results } = await trace(graph, turnsOf, (id) => id === failing);
        expect(results).toEqual(new Error(`${failing} failed`));
        expect([...started, ...skipped].toSorted()).toEqual(graph.map(({ id }) => id).toSorted());
        const dependants = graph.filter(({ needs }) => needs.includes(failing)).map(({ id }) => id);
        expect(skipped).toEqual(expect.arrayContaining(dependants));
      }),
    );
  });

  it('runs nodes side by side that need nothing of each other', async () => {
    const { mostAtOnce } = await trace([node('a'), node('b'), node('c', 'a', 'b')], () => 3, never);
    expect(mostAtOnce).toBe(2);
  });

  it.each([
    ['a cycle', [node('a'), node('b', 'c'), node('c', 'b')]],
    ['a need that is no node', [node('a'), node('b', 'nobody')]],
  ])('refuses %s instead of waiting for ever', async (_, graph) => {
    expect((await trace(graph, () => 0, never)).results).toMatchObject({ code: 'plan-invalid' });
  });
});

import { describeResult, finalModels } from '../../../cli/summary.js';
import type { RunResult, RunView } from '../../../client/index.js';

type Node = readonly [id: string, kind: string, ...needs: string[]];

/** Each node makes one artifact of its kind. */
function run(...nodes: Node[]): [RunResult, RunView] {
  const results = nodes.map(([id, kind]) => {
    const artifact = { kind, digest: `sha256:${id}`, uri: '', bytes: 1 };
    return [id, { outputs: { [kind]: artifact }, stageKey: id, reused: false }] as const;
  });
  const views = nodes.map(([id, , ...needs]) => ({ id, uses: id, needs, queue: 'io', status: 'done' as const }));
  const view = { runId: 'run', plan: 'plan', status: 'completed' as const, nodes: views, missingWorkers: [] };
  return [{ nodes: Object.fromEntries(results) as RunResult['nodes'] }, view];
}

const trained: Node[] = [
  ['import', 'dataset'],
  ['student', 'model'],
  ['fine-tune', 'model', 'import', 'student'],
  ['logits', 'logits', 'import', 'student'],
  ['distill', 'model', 'fine-tune', 'logits'],
];
const finalOf = (...nodes: Node[]): string[] => finalModels(...run(...nodes)).map(({ node }) => node);

describe('the models that a run was for', () => {
  it('are those that no other model was made from', () => {
    expect(finalOf(...trained)).toEqual(['distill']);
    expect(finalOf(...trained, ['control', 'model', 'fine-tune'])).toEqual(['distill', 'control']);
  });

  it('are the same when they are measured as well', () => {
    expect(finalOf(...trained, ['evaluate', 'scores', 'distill'])).toEqual(['distill']);
  });

  it('are those that a gate judged, where one did', () => {
    const measured: Node[] = [
      ...trained,
      ['control', 'model', 'fine-tune'],
      ['evaluate', 'scores', 'distill'],
      ['evaluate-control', 'scores', 'control'],
      ['gate', 'verdict', 'distill', 'evaluate', 'evaluate-control'],
      ['promote', 'promotion', 'gate', 'distill', 'import'],
    ];
    expect(finalOf(...measured)).toEqual(['distill']);
  });
});

it('the summary of a run names the node to export where the run was for several models, and only there', () => {
  expect(describeResult(...run(...trained))).toMatch(/nightstill export run \.\/distill {3,}write/);
  const withControl = describeResult(...run(...trained, ['control', 'model', 'fine-tune']));
  expect(withControl).toMatch(/nightstill export run \.\/distill --node distill {3,}write/);
});

it('the summary of a run says which nodes were gone on with on a machine that computes other bits', () => {
  const [result, view] = run(...trained);
  expect(describeResult(result, view)).not.toContain('inexactly');
  const { distill } = result.nodes;
  const outputs = Object.fromEntries(
    Object.entries(distill?.outputs ?? {}).map(([name, artifact]) => [
      name,
      { ...artifact, resumedInexactlyAt: [3, 9] },
    ]),
  );
  const resumed = { nodes: { ...result.nodes, distill: { stageKey: 'distill', reused: false, outputs } } };
  expect(describeResult(resumed, view)).toContain(
    '\n  distill: resumed inexactly at step 3, 9, on a machine that computes other bits\n',
  );
});

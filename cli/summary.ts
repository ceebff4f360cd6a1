/** What is said when a run is over or left: each node with what became of it, where the model is, and what to do next. */
import type { ArtifactRef, RunResult, RunView } from '../client/index.js';
import { drawTable } from '../tools/setup.js';
import { exitStatus } from './command.js';
import { words } from './report/words.js';
import { shortDigest } from './view/format.js';
import { isOver } from './view/run-view.js';

export function exitStatusOf(view: RunView): number {
  if (view.status === 'completed') return exitStatus.ok;
  return isOver(view) ? exitStatus.runEnded : exitStatus.left;
}

export interface NamedModel {
  readonly node: string;
  readonly output: string;
  readonly artifact: ArtifactRef;
}

/** The models that a run was for: those that a gate judged, and without a gate those that no other model was made from. */
export function finalModels(result: RunResult, view: RunView): NamedModel[] {
  const outputsOf = (node: string, kind: string) =>
    Object.entries(result.nodes[node]?.outputs ?? {}).filter(([, artifact]) => artifact.kind === kind);
  const modelsOf = (node: string): NamedModel[] =>
    outputsOf(node, 'model').map(([output, artifact]) => ({ node, output, artifact }));
  const judged = view.nodes
    .filter(({ id }) => outputsOf(id, 'verdict').length > 0 || result.nodes[id]?.unchanged === id)
    .flatMap(({ needs }) => needs);
  const madeFrom = leadingTo(
    view.nodes.filter(({ id }) => modelsOf(id).length > 0),
    view,
  );
  const models = [...new Set(judged)].flatMap(modelsOf);
  if (models.length > 0) return models;
  return Object.keys(result.nodes)
    .filter((node) => !madeFrom.has(node))
    .flatMap(modelsOf);
}

/** Every node that one of these needs, however far away. */
function leadingTo(nodes: RunView['nodes'], view: RunView): Set<string> {
  const found = new Set(nodes.flatMap(({ needs }) => needs));
  for (const id of found) for (const need of view.nodes.find((node) => node.id === id)?.needs ?? []) found.add(need);
  return found;
}

export function describeResult(result: RunResult, view: RunView): string {
  const order = view.nodes.map(({ id }) => id);
  const nodes = Object.entries(result.nodes).sort(([one], [other]) => order.indexOf(one) - order.indexOf(other));
  const rows = nodes.flatMap(([node, { reused, outputs, unchanged }]) =>
    unchanged !== undefined
      ? [[node, 'unchanged', '', '', '']]
      : Object.entries(outputs).map(([output, { kind, digest, rows: count }], index) => [
          index === 0 ? node : '',
          index === 0 ? (reused ? 'reused' : 'ran') : '',
          output,
          `${kind}${count === undefined ? '' : ` of ${count} rows`}`,
          shortDigest(digest),
        ]),
  );
  const table = drawTable(['node', 'result', 'output', 'kind', 'digest'], rows).replaceAll(/^/gm, '  ');
  return [table, ...inexactNodes(result), nextSteps(result, view)].join('\n\n');
}

/** The nodes whose bits nobody can compute again. */
function inexactNodes({ nodes }: RunResult): string[] {
  const lines = Object.entries(nodes).flatMap(([node, { outputs }]) => {
    const artifact = Object.values(outputs).find(({ resumedInexactlyAt }) => resumedInexactlyAt);
    return artifact ? [`  ${words.en.resumedInexactly(node, artifact.kind, artifact.resumedInexactlyAt ?? [])}`] : [];
  });
  return lines.length > 0 ? [lines.join('\n')] : [];
}

function nextSteps(result: RunResult, view: RunView): string {
  const [model, another] = finalModels(result, view);
  const [first = ''] = Object.keys(result.nodes);
  const which = another ? ` --node ${model?.node}` : '';
  const steps = [
    ...(model
      ? [[`nightstill export ${view.runId} ./${model.node}${which}`, 'write the model as a Hugging Face directory']]
      : []),
    [`nightstill explain ${view.runId} ${model?.node ?? first}`, 'why it ran or was reused'],
    [`nightstill status ${view.runId}`, 'this again'],
  ];
  const width = Math.max(...steps.map(([command = '']) => command.length));
  return steps.map(([command = '', why = '']) => `  ${command.padEnd(width)}   ${why}`).join('\n');
}

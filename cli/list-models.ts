/** What `nightstill models list` prints: one line for what serves, and one for each model that served before. */
import { listModels, type ModelAlias, type ServedModel } from '../client/index.js';
import { formatBytes } from '../tools/progress.js';
import { drawTable } from '../tools/setup.js';
import { shortDigest } from './view/format.js';

export async function listedModels(
  store: string,
  only: { readonly name?: string; readonly alias?: string },
  json: boolean,
): Promise<string> {
  const found = (await listModels({ store })).filter(
    ({ name, alias }) => name === (only.name ?? name) && alias === (only.alias ?? alias),
  );
  if (json) return JSON.stringify(found);
  return found.length === 0 ? `${store}: nothing was promoted yet` : found.map(describeAlias).join('\n\n');
}

export function describeAlias({ name, alias, current, history, refused }: ModelAlias): string {
  const row = (model: ServedModel, state: string): string[] => [
    state,
    shortDigest(model.digest),
    formatBytes(model.bytes),
    model.movedAt ?? 'not recorded',
    model.actor ?? 'not recorded',
    `${refused.includes(model.digest) ? '(refused) ' : ''}${model.reason}`,
  ];
  const rows = [row(current, 'serves'), ...history.map((model) => row(model, 'before'))];
  const listed = new Set([current, ...history].map(({ digest }) => digest));
  const others = refused.filter((digest) => !listed.has(digest));
  return [
    `${name}/${alias}  ${current.digest}`,
    drawTable(['', 'digest', 'size', 'since', 'by', 'why'], rows).replaceAll(/^/gm, '  '),
    ...others.map((digest) => `  refused since it was rolled back: ${digest}`),
  ].join('\n');
}

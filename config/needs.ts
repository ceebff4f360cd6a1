/** The needs of nodes, as a graph: ids are used once, needs name other nodes, and no node waits for itself. Pure. */
import { NightstillError } from './errors.js';

export interface NeedyNode {
  readonly id: string;
  readonly needs: readonly string[];
}

/**
 * @param place name of the list that the nodes stand in: errors name the path
 * @throws plan-invalid
 */
export function checkNeeds(nodes: readonly NeedyNode[], place: string): void {
  const ids = new Set<string>();
  for (const [index, { id }] of nodes.entries()) {
    if (ids.has(id)) throw invalid(`${place}[${index}].id`, 'an id of its own', id);
    ids.add(id);
  }
  for (const [index, { needs }] of nodes.entries()) {
    const unknown = needs.findIndex((need) => !ids.has(need));
    if (unknown >= 0)
      throw invalid(`${place}[${index}].needs[${unknown}]`, `one of ${[...ids].join(', ')}`, String(needs[unknown]));
  }
  const cycle = findCycle(nodes);
  if (cycle) throw invalid(place, 'needs without a cycle', cycle.join(' → '));
}

/** Node by node along the needs, the first id again at the end. */
function findCycle(nodes: readonly NeedyNode[]): string[] | undefined {
  const waiting = new Map(nodes.map((node) => [node.id, node]));
  for (let met = true; met;) {
    met = false;
    for (const { id, needs } of waiting.values()) {
      if (needs.some((need) => waiting.has(need))) continue;
      waiting.delete(id);
      met = true;
    }
  }
  // Whoever is left needs another one that is left: following them comes round.
  const walk: string[] = [];
  for (let [node] = waiting.values(); node !== undefined;) {
    const met = walk.indexOf(node.id);
    if (met >= 0) return [...walk.slice(met), node.id];
    walk.push(node.id);
    const next = node.needs.find((need) => waiting.has(need));
    node = next === undefined ? undefined : waiting.get(next);
  }
  return undefined;
}

const invalid = (path: string, expected: string, found: string): NightstillError =>
  new NightstillError('plan-invalid', `${path}: expected ${expected}, found ${found}`, { details: { path } });

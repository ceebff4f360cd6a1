/** Finds cycles in a graph of names. Of cycles that share an edge at least one is found, so that an empty answer means none. */

/** Each cycle as the names along it, the first repeated at the end. */
export function findCycles(edges: ReadonlyMap<string, Iterable<string>>): string[][] {
  const cycles: string[][] = [];
  const finished = new Set<string>();
  const trail: string[] = [];

  const visit = (name: string): void => {
    if (finished.has(name)) return;
    const begin = trail.indexOf(name);
    if (begin >= 0) {
      cycles.push([...trail.slice(begin), name]);
      return;
    }
    trail.push(name);
    for (const next of edges.get(name) ?? []) visit(next);
    trail.pop();
    finished.add(name);
  };

  for (const name of edges.keys()) visit(name);
  return cycles;
}

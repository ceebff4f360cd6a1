/** What is loaded by a worker that only resolves plans and looks results up, and by applications: by following its imports, those within functions too. */
import { join } from 'node:path';
import { readSources, readTree } from '../../house/sources.js';

const sources = new Map(
  readSources(readTree(join(import.meta.dirname, '../../..'))).map((source) => [source.path, source]),
);

function packagesReachedFrom(entry: string): Map<string, string> {
  const packages = new Map<string, string>();
  const files = new Set([entry]);
  for (const path of files)
    for (const { target, kind, typeOnly } of sources.get(path)?.imports ?? []) {
      if (typeOnly) continue;
      if (kind === 'file') files.add(target);
      else packages.set(target, path);
    }
  return packages;
}

describe('a light worker', () => {
  it('reaches no tensors and no native code', () => {
    const reached = packagesReachedFrom('plugins/plan-plugin.ts');
    expect(reached.get('@temporalio/activity')).toBeDefined();
    expect([...reached].filter(([name]) => name.startsWith('@tensorflow/'))).toEqual([]);
  });

  it('would be found out: who trains does reach them', () => {
    expect(packagesReachedFrom('workers/trainer.ts').has('@tensorflow/tfjs')).toBe(true);
  });
});

describe('an application', () => {
  it('reaches no tensors and no native code through the client, reports included', () => {
    const reached = packagesReachedFrom('client/index.ts');
    expect(reached.get('@temporalio/client')).toBeDefined();
    expect([...reached.keys()].filter((name) => name.startsWith('@tensorflow/'))).toEqual([]);
  });
});

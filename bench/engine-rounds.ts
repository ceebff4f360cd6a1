/** The rounds of one group of the benches: its files are written, then everyone does the same work in turn. */
import { join } from 'node:path';
import { run, type Surroundings } from './engine-contestants.js';
import type { Group } from './engine-groups.js';
import type { Measurement, Task } from './engine-measurement.js';
import { modelShapes } from './engine-models.js';
import { describe, type Measured } from './engine-rows.js';
import { lacksBfloat16 } from './processor.js';
import { writeIds, writeModel } from './engine-workload.js';

export interface Rounds {
  readonly rounds: number;
  readonly threads: number;
}

/** Everyone in turn, round after round; who fails once is asked no more, and nobody what the processor cannot do. */
export async function measureGroup(
  group: Group,
  { rounds, threads }: Rounds,
  surroundings: Surroundings,
): Promise<ReadonlyMap<string, Measured>> {
  const lacking = group.needsBfloat16 && lacksBfloat16();
  if (lacking !== undefined) return new Map(Object.keys(group.contestants).map((name) => [name, { why: lacking }]));
  const task: Task = { ...(await writeFiles(group, surroundings.directory)), threads: group.threads ?? threads };
  const wanted = new Set(group.goals.flatMap(({ against, ours = 'ours' }) => [ours, against]));
  const contestants = Object.entries(group.contestants).filter(([name]) => wanted.has(name));
  const measured = new Map<string, Measured>();
  for (let round = 0; round < rounds; round += 1)
    for (const [name, contestant] of contestants) {
      const before = measured.get(name) ?? [];
      if ('why' in before) continue;
      // A first process fills the caches that the next ones find.
      if (round === 0 && contestant.by === 'engine' && contestant.caches === 'kept')
        await run(contestant, task, surroundings).catch(() => undefined);
      const outcome = await run(contestant, task, surroundings).catch((error: unknown) => ({
        why: error instanceof Error ? error.message : String(error),
      }));
      measured.set(name, 'why' in outcome ? outcome : [...before, outcome]);
      process.stderr.write(`${group.work}, ${round + 1}/${rounds}, ${describe(name, contestant)}: ${said(outcome)}\n`);
    }
  return measured;
}

const said = (outcome: Measurement | { readonly why: string }): string =>
  'why' in outcome
    ? outcome.why
    : `best ${outcome.bestMs.toFixed(1)} ms, median ${outcome.medianMs.toFixed(1)}, first ${outcome.firstMs.toFixed(0)}`;

export async function writeFiles(
  { model, task, sequences }: Pick<Group, 'model' | 'task' | 'sequences'>,
  directory: string,
) {
  const modelDirectory = join(directory, model.replaceAll(' ', '-'));
  await writeModel(modelDirectory, model);
  const ids = join(directory, 'ids');
  await writeIds(ids, sequences, modelShapes[model].vocabularySize);
  return { ...task, model: modelDirectory, ids };
}

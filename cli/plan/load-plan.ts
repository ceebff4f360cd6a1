/**
 * A plan file, checked as far as it can be here: its shape always, and its stages, options and needs when all their kinds are
 * known to this process. A kind, or a scorer, that only workers know is judged by the run.
 */
import { resolvePlan } from '../../activities/resolve-plan.js';
import type { Variables } from '../../config/environment.js';
import { scorerIdOf } from '../../config/evaluate-options.js';
import type { ResolvedPlan } from '../../config/plan.js';
import { defaultQueuePrefix } from '../../config/queues.js';
import { dateIn, fillDate, isDate, planOfNamedDay } from '../../config/scheduled-date.js';
import type { StageKind } from '../../config/stage-kind.js';
import { allStages } from '../../plugins/index.js';
import { isJsonArray, isJsonObject, type Json, type JsonObject } from '../../storage/index.js';
import { loadScorers, loadStages } from '../../workers/load-module.js';
import { UsageError } from '../command.js';
import { defaultStore } from '../default-store.js';
import { readPlanFile, type PlanSource } from './plan-file.js';

export interface LoadRequest {
  readonly path: string;
  readonly queuePrefix?: string | undefined;
  /** Path of a module with stages of the user's own. */
  readonly stages?: string | undefined;
  /** Path of a module with scorers of the user's own. */
  readonly scorers?: string | undefined;
  /** Is it for a schedule? Then `{{scheduledDate}}` is judged as if a night had filled it. */
  readonly forSchedule?: boolean;
  /** The day that `{{scheduledDate}}` stands for. */
  readonly date?: string | undefined;
  readonly variables: Variables;
}

export interface LoadedPlan extends PlanSource {
  readonly kinds: readonly StageKind[];
  /** Undefined when it names kinds that are not known here. */
  readonly resolved: ResolvedPlan | undefined;
}

/** @throws plan-invalid with file, line and column; UsageError */
export async function loadPlan({
  path,
  queuePrefix = defaultQueuePrefix,
  stages,
  scorers,
  forSchedule = false,
  date,
  variables,
}: LoadRequest): Promise<LoadedPlan> {
  const kinds = await kindsKnownHere({ stages, scorers });
  if (date !== undefined && !isDate(date))
    throw new UsageError(`--date: expected a day such as 2026-11-27, found ${date}`);
  const read = await readPlanFile(path, { kinds, defaultStore: defaultStore(variables) });
  const source = { ...read, file: date === undefined ? read.file : planOfNamedDay(read.file, date, '--date') };
  try {
    const judged = forSchedule ? fillDate(source.file, dateIn('UTC', new Date())) : source.file;
    const resolved = knowsAll(judged, kinds) ? resolvePlan(judged, { kinds, queuePrefix }) : undefined;
    return { ...source, kinds, resolved };
  } catch (error) {
    throw source.locate(error);
  }
}

/** The built-in stage kinds, and those of the modules. @throws stages-invalid, scorers-invalid */
export async function kindsKnownHere(modules: Pick<LoadRequest, 'stages' | 'scorers'>): Promise<StageKind[]> {
  const stages = modules.stages === undefined ? [] : await loadStages(modules.stages);
  const scorers = modules.scorers === undefined ? undefined : await loadScorers(modules.scorers);
  return allStages(stages, { scorers }).map(({ kind }) => kind);
}

/** True also for what is no plan at all: that is then said. */
function knowsAll(file: Json, kinds: readonly StageKind[]): boolean {
  if (!isJsonObject(file)) return true;
  const known = kinds.flatMap(({ knownScorers }) => knownScorers);
  if (scorersNamedIn(file).some((name) => !known.includes(scorerIdOf(name)))) return false;
  const { stages } = file;
  if (stages === undefined || !isJsonArray(stages)) return true;
  return stages.every((stage) => {
    const uses = isJsonObject(stage) ? stage['uses'] : undefined;
    return typeof uses !== 'string' || kinds.some(({ kind }) => kind === uses);
  });
}

function scorersNamedIn({ evaluate, gates, stages }: JsonObject): string[] {
  const parts = [evaluate, ...listOf(stages).map((stage) => (isJsonObject(stage) ? stage['with'] : undefined))];
  const named = parts.flatMap((part) => (part !== undefined && isJsonObject(part) ? listOf(part['scorers']) : []));
  const asked = listOf(gates).map((gate) => (isJsonObject(gate) ? gate['score'] : undefined));
  return [...named, ...asked].filter((name) => typeof name === 'string');
}

const listOf = (value: Json | undefined): readonly Json[] => (value !== undefined && isJsonArray(value) ? value : []);

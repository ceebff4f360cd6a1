/** Are these stages? What a user lists may come from plain JavaScript, or from a module that exports something else. */
import type { Stage } from '../activities/stage.js';
import { NightstillError } from '../config/errors.js';
import type { ScorerModule } from '../config/scorer-module.js';
import { builtInStagesWith } from './built-in-stages.js';

export interface OwnParts {
  /** Where the stages stand, for messages. */
  readonly place?: string;
  /** Of `loadScorers`. */
  readonly scorers?: ScorerModule | undefined;
}

/**
 * The built-in stages and these, each kind once.
 * @throws stages-invalid
 */
export function allStages(stages: readonly unknown[], { place = 'stages', scorers }: OwnParts = {}): readonly Stage[] {
  const all: Stage[] = [...builtInStagesWith(scorers)];
  for (const [index, stage] of stages.entries()) {
    if (!isStage(stage))
      throw new NightstillError('stages-invalid', `${place}[${index}]: expected a stage, found ${nameOf(stage)}`);
    const { kind } = stage.kind;
    if (all.some((other) => other.kind.kind === kind))
      throw new NightstillError(
        'stages-invalid',
        `${place}[${index}]: expected a kind of its own, found a second "${kind}"`,
      );
    all.push(stage);
  }
  return all;
}

/** What `defineStage` returns, of whichever copy of this package. */
const isStage = (value: unknown): value is Stage =>
  isObject(value) &&
  isObject(value['kind']) &&
  typeof value['kind']['kind'] === 'string' &&
  Array.isArray(value['kind']['roles']) &&
  isObject(value['work']) &&
  ('run' in value['work'] || 'program' in value['work']);

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

const nameOf = (value: unknown): string =>
  value === null ? 'null' : Array.isArray(value) ? 'a list' : `a value of type ${typeof value}`;

/** How far a model is from its teacher, as its evaluation has found it: a number, or why there is none. */
import type { JsonObject } from '../../storage/index.js';
import { incomparableReasons, type Incomparable } from '../evaluate/incomparable.js';
import type { Interval } from '../statistics/proportions.js';
import { memberOf, numberAt, objectAt } from './json-members.js';

export type ForwardKl =
  | {
      /** In nats, per token of the references. */
      readonly mean: number;
      readonly interval: Interval;
      readonly items: number;
      /** Items that were too long for the context, or have nothing as reference. */
      readonly unmeasured: number;
    }
  | { readonly notComparable: Incomparable };

export function forwardKlOf(facts: JsonObject): ForwardKl | null {
  const found = objectAt(facts, 'forwardKl');
  const reason = incomparableReasons.find((known) => known === memberOf(found, 'notComparable'));
  if (reason !== undefined) return { notComparable: reason };
  const interval = objectAt(found, 'interval');
  const [mean, items] = [numberAt(found, 'mean'), numberAt(found, 'items')];
  const [lower, upper] = [numberAt(interval, 'lower'), numberAt(interval, 'upper')];
  const level = numberAt(interval, 'level');
  if (mean === null || items === null || lower === null || upper === null || level === null) return null;
  return { mean, interval: { lower, upper, level }, items, unmeasured: numberAt(found, 'unmeasured') ?? 0 };
}

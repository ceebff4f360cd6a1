/**
 * What a stage kind says of itself. It is pure and apart from the code that runs it, so that a light worker can resolve a
 * plan, and compute stage keys, without any native part.
 */
import type { z } from 'zod';
import type { JsonObject } from './json.js';
import type { NodeRetry, NodeTimeouts } from './plan.js';
import type { Role } from './queues.js';

export interface StageKind {
  /** What a plan's `uses` names. */
  readonly kind: string;
  /** Raised when the output of the stage may change. Part of the stage key. */
  readonly version: number;
  /** Checks `with` and fills in defaults. Its output is JSON. */
  readonly options: z.ZodType<JsonObject>;
  /** Options that equal their default are left out of the stage key, so that a new option changes no old key. */
  readonly defaults: JsonObject;
  /** Options that name data outside the store. In the stage key, the identity of that data stands in their place. */
  readonly sources: readonly string[];
  readonly activity: string;
  readonly role: Role;
  readonly timeouts: NodeTimeouts;
  readonly retry: NodeRetry;
}

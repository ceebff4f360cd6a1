/**
 * Does a run compute with TensorFlow? That its plan names it is not enough: what a store has already needs no library, be it made
 * on another machine.
 */
import { previewPlan } from '../../activities/preview-plan.js';
import type { LoadedPlan } from './load-plan.js';

/** Where stages name it, a question: would a run do any of them now? It reads the store. */
export type TensorflowNeed = 'none' | 'unknown' | (() => Promise<boolean>);

export interface NeedRequest {
  readonly queuePrefix: string;
  /** Does the plan run a second time, into an empty store? */
  readonly prove: boolean;
}

export function tensorflowNeedOf(plan: LoadedPlan, { queuePrefix, prove }: NeedRequest): TensorflowNeed {
  const { resolved, kinds, file, locate } = plan;
  if (resolved === undefined) return 'unknown';
  const without = resolved.plan.nodes.filter(({ numerics }) => numerics?.runner !== 'tensorflow').map(({ id }) => id);
  if (without.length === resolved.plan.nodes.length) return 'none';
  return async () => {
    if (prove) return true;
    try {
      const { nodes } = await previewPlan(file, { kinds, queuePrefix });
      // What is not of the plan measures the champion, as the candidate is measured.
      return nodes.some(({ id, verdict }) => verdict !== 'reused' && !without.includes(id));
    } catch (error) {
      throw locate(error);
    }
  };
}

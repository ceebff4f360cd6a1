/**
 * Which releases of TensorFlow does a run compute with? That its plan names one is not enough: what a store has already needs no
 * library, be it made on another machine.
 */
import { previewPlan } from '../../activities/preview-plan.js';
import type { LoadedPlan } from './load-plan.js';

/**
 * Where stages name it, a question: which other releases than the one that is here would a run compute with now? It reads the store
 * where stages name another one.
 */
export type TensorflowNeed = 'none' | 'unknown' | ((here: string | undefined) => Promise<readonly string[]>);

export interface NeedRequest {
  readonly queuePrefix: string;
  /** Does the plan run a second time, into an empty store? */
  readonly prove: boolean;
}

export function tensorflowNeedOf(plan: LoadedPlan, { queuePrefix, prove }: NeedRequest): TensorflowNeed {
  const { resolved, kinds, file, locate } = plan;
  if (resolved === undefined) return 'unknown';
  const releases = new Map(resolved.plan.nodes.map(({ id, numerics }) => [id, numerics?.tensorflow ?? undefined]));
  const named = distinct([...releases.values()]);
  if (named.length === 0) return 'none';
  return async (here) => {
    const others = named.filter((release) => release !== here);
    if (prove || others.length === 0) return others;
    try {
      const { nodes } = await previewPlan(file, { kinds, queuePrefix });
      const computed = nodes.filter(({ verdict }) => verdict !== 'reused');
      // What is not of the plan measures the champion, as the candidate is measured.
      const needed = computed.flatMap(({ id }) => (releases.has(id) ? [releases.get(id)] : named));
      return others.filter((release) => needed.includes(release));
    } catch (error) {
      throw locate(error);
    }
  };
}

const distinct = (releases: readonly (string | undefined)[]): string[] => [
  ...new Set(releases.filter((release) => release !== undefined)),
];

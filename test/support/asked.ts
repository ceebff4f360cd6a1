/** A run that waits for a person, as whoever watches it learns of it: however long it takes to come to its question. */
import { watch, type Approval, type RunHandle } from '../../client/index.js';

/** @param before what it asked before, which is not meant */
export async function questionOf(handle: RunHandle, before?: Approval): Promise<Approval> {
  for await (const event of watch(handle)) {
    const asked = event.type === 'node' && event.node.status === 'awaiting-approval' ? event.node.approval : undefined;
    if (asked && asked.verdict !== before?.verdict) return asked;
  }
  throw new Error('expected a run that waits for a person, found one that is over');
}

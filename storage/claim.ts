/**
 * The fence. A process begins by claiming the head of its stage by compare-and-swap: the store hands out the next fence, and
 * from then on the writer before cannot move head, seal or result, whether it is dead, stopped or merely slow. The fence
 * comes from the store: Temporal's attempt number starts again after a reset, and clocks differ.
 *
 * A process claims once in its life. Whoever finds that another claim came in between ends, and is tried again from outside.
 */
import { NightstillError, hasCode } from '../config/errors.js';
import { moveRecord, newOperationId } from './conditional.js';
import { claimed, headKind, isSameActivity, rebuiltHead, type Head, type IsOpen, type StageOwner } from './head.js';
import { headKey, type StageKey } from './layout.js';
import type { ObjectStore } from './object-store.js';
import { quarantine } from './quarantine.js';
import { readRecord, type ReadRecord } from './record.js';
import { lookupResult } from './results.js';
import { StageWriter } from './stage-writer.js';

export interface ClaimRequest {
  readonly stageKey: StageKey;
  readonly owner: StageOwner;
  readonly isOpen: IsOpen;
}

/**
 * @throws stage-busy while another activity that is still open holds the stage (two runs of one plan work once)
 * @throws stage-sealed when the stage is finished and its result is there
 * @throws fence-lost when another claim came in between
 */
export async function claimStage(store: ObjectStore, request: ClaimRequest): Promise<StageWriter> {
  const { stageKey, owner } = request;
  const operationId = newOperationId();
  const key = headKey(stageKey);
  const first = await readHead(store, key);
  const fenceSeen = first?.value.fence ?? 0;
  const head = await moveRecord<Head>(store, {
    kind: headKind,
    key,
    operationId,
    known: first,
    decide: async (current, moving) => {
      if (!current) return claimed((await rebuiltHead(store, stageKey)) ?? unclaimed(stageKey), moving, owner);
      await refuseWhileHeld(store, current, request);
      if (current.fence > fenceSeen) throw lost(stageKey, fenceSeen, current);
      return claimed(current, moving, owner);
    },
  });
  if (head.value.claim !== operationId) throw lost(stageKey, fenceSeen, head.value);
  return new StageWriter(store, head, request.isOpen);
}

/**
 * Does nobody work under that claim any more: a later one has followed it, the stage was sealed, or the activity that made it is no
 * longer open? Of a stage whose head is gone, or damaged, and of an activity whose namespace cannot be read, nobody can say: no.
 */
export async function isClaimOver(
  store: ObjectStore,
  { stageKey, fence }: { readonly stageKey: StageKey; readonly fence: number },
  isOpen: IsOpen,
): Promise<boolean> {
  const head = await readRecord(store, headKind, headKey(stageKey)).catch((error: unknown) => {
    if (hasCode(error, 'record-invalid')) return undefined;
    throw error;
  });
  if (head === undefined) return false;
  return head.value.fence > fence || head.value.sealed || !(await isOpen(head.value.owner, { unreadable: 'open' }));
}

const unclaimed = (stageKey: StageKey) => ({ stageKey, fence: 0, manifest: null, previous: null });

async function refuseWhileHeld(store: ObjectStore, head: Head, { owner, isOpen }: ClaimRequest): Promise<void> {
  if (head.sealed && (await lookupResult(store, head.stageKey)))
    throw new NightstillError('stage-sealed', `stage ${head.stageKey}: finished under fence ${head.fence}`);
  if (head.sealed || isSameActivity(head.owner, owner) || !(await isOpen(head.owner))) return;
  const { namespace, workflowId, runId, activityId, attempt } = head.owner;
  const where = namespace === undefined ? '' : `, namespace ${namespace}`;
  throw new NightstillError(
    'stage-busy',
    `stage ${head.stageKey}: held by attempt ${attempt} of activity ${activityId} of workflow ${workflowId}, run ${runId}${where}`,
  );
}

/** A damaged head is put aside: it is rebuilt from its manifests by the claim. */
async function readHead(store: ObjectStore, key: string): Promise<ReadRecord<Head> | undefined> {
  try {
    return await readRecord(store, headKind, key);
  } catch (error) {
    if (!hasCode(error, 'record-invalid')) throw error;
    await quarantine(store, key);
    return undefined;
  }
}

const lost = (stageKey: StageKey, fenceSeen: number, { fence, owner }: Head): NightstillError =>
  new NightstillError(
    'fence-lost',
    `stage ${stageKey}: expected to follow fence ${fenceSeen}, found fence ${fence} of attempt ${owner.attempt} of ${owner.activityId}`,
  );

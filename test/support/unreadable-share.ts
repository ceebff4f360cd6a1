/** A share of a budget that belongs to a run of a namespace that was deleted: nobody will settle it, and nobody can ask about it. */
import { randomUUID } from 'node:crypto';
import { openStageLedger } from '../../activities/stage-ledger.js';
import { budgetSchema } from '../../config/budget-schema.js';
import { teacherEndpointSchema } from '../../config/teacher-schema.js';
import { fromUsd } from '../../distillation/index.js';
import { claimStage, openObjectStore } from '../../storage/index.js';
import { keyOf } from './responses.js';
import { nobodyIsOpen, owner, stageKeyOf } from './stage.js';

export async function holdInUnreadableNamespace(url: string, asked: object, budget: object): Promise<void> {
  const store = await openObjectStore(url, { forWriting: true });
  const runId = randomUUID();
  const held = { ...owner(1, 'answer', runId), namespace: 'gone' };
  const writer = await claimStage(store, { stageKey: stageKeyOf('gone'), owner: held, isOpen: nobodyIsOpen });
  const ledger = await openStageLedger(store, {
    teacher: teacherEndpointSchema.parse(asked),
    runId,
    writer,
    budget: budgetSchema.parse(budget),
  });
  await ledger.intend({ key: keyOf('unsettled'), atMost: fromUsd(0.00002) });
  await store.close();
}

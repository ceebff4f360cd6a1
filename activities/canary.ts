/** The work of the stage `canary`: a teacher is asked a few prompts once more, and what it answers is held against what it did at first. */
import type { CanaryOptions } from '../config/answer-options.js';
import type { Json } from '../config/json.js';
import { askCanaries, openProbedClient, toUsd, type CanaryTeacher } from '../distillation/index.js';
import type { StageContext, StageProduct } from './stage.js';
import { openStageLedger } from './stage-ledger.js';
import { teacherKey } from './teacher-key.js';

const identityFormat = 'nightstill-teacher-identity-1';

export async function canary(
  context: StageContext<CanaryOptions>,
): Promise<StageProduct<{ readonly identity: 'teacher-identity' }>> {
  const { options, runId, store, writer, progress, signal } = context;
  const { budget } = options;
  const teacher = options.teacher as CanaryTeacher; // the schema wants one with canaries
  const client = openProbedClient(teacher, teacherKey(teacher));
  const ledger = await openStageLedger(store, { teacher, runId, writer, budget });
  try {
    progress({ phase: 'ask' });
    const { identity: drift, ...found } = await askCanaries({ store, teacher, client, ledger, runId, signal });
    const identity = await writer.putArtifact({
      kind: 'teacher-identity',
      parts: [],
      meta: { format: identityFormat, drift },
    });
    const { endpoint, model, revision, prices } = teacher;
    const { answered } = await ledger.report();
    return {
      outputs: { identity },
      facts: { teacher: { endpoint, model, revision }, drift: { ...found } as Json },
      observations: { runSpentUsd: prices ? toUsd(answered.money) : 'not given' },
    };
  } finally {
    await ledger.close();
  }
}

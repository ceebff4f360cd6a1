/** The work of the stage `canary`: a teacher is asked a few prompts once more, and what it answers is held against what it did at first. */
import type { CanaryOptions } from '../config/answer-options.js';
import type { Json } from '../config/json.js';
import { askCanaries, openProbedClient, Spending, usdOf, type CanaryTeacher } from '../distillation/index.js';
import type { StageContext, StageProduct } from './stage.js';
import { callsOf, openStageLedger } from './stage-ledger.js';
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
    const spending = new Spending();
    const asking = { store, teacher, client, ledger, spending, runId, signal };
    const { identity: drift, ...found } = await askCanaries(asking);
    const identity = await writer.putArtifact({
      kind: 'teacher-identity',
      parts: [],
      meta: { format: identityFormat, drift },
    });
    const { endpoint, model, revision, prices } = teacher;
    const spentUsd = (prices && usdOf([spending.spent])) ?? 'not given';
    return {
      outputs: { identity },
      facts: { teacher: { endpoint, model, revision }, drift: { ...found } as Json },
      observations: { spentUsd, prices: prices ?? 'not given', calls: callsOf(await ledger.report()) },
    };
  } finally {
    await ledger.close();
  }
}

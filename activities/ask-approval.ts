/**
 * Does a person have to decide? Only about a model that passed its gate, against the champion that still serves, and that was not
 * rolled back. Anything else is settled without asking.
 */
import type { ApprovalQuestion } from '../config/approval.js';
import type { AskInput } from '../config/plan.js';
import { NightstillError } from '../config/errors.js';
import { expectAlias, parseDigest, type ObjectStore } from '../storage/index.js';
import { expectedBy, readVerdict, wasRolledBack } from './read-verdict.js';

/** @throws champion-moved, gate-invalid when the verdict is of another model, record-invalid; the codes of the store */
export async function approvalQuestion(
  store: ObjectStore,
  { node, inputs, approval }: Pick<AskInput, 'node' | 'inputs' | 'approval'>,
): Promise<ApprovalQuestion | null> {
  const [verdict, model] = [inputs[approval.verdict], inputs[approval.model]];
  if (verdict === undefined || model === undefined)
    throw new NightstillError('stages-invalid', `stage ${node}: expected inputs to ask a person about, found none`);
  const record = await readVerdict(store, { ...verdict, digest: parseDigest(verdict.digest) });
  if (record.candidate !== model.digest)
    throw new NightstillError(
      'gate-invalid',
      `expected a verdict on the model ${model.digest}, found one on ${record.candidate}`,
    );
  if (record.verdict !== 'pass' || (await wasRolledBack(store, record))) return null;
  await expectAlias(store, { ...record, expected: expectedBy(record) });
  return {
    candidate: model.digest,
    verdict: verdict.digest,
    name: record.name,
    alias: record.alias,
    champion: record.champion?.digest ?? null,
    reasons: record.reasons,
    scores: record.scores.map(({ scorer, items, value, interval, others }) => ({
      scorer,
      items,
      value,
      interval,
      ...(others.champion !== undefined && { champion: others.champion }),
    })),
  };
}

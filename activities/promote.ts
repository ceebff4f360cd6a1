/**
 * The work of the stage `promote`: a model that passed its gate is moved to its name by compare-and-swap against the champion that
 * the gate read. The move is announced under the fence of the attempt, and a repeated attempt is the same move; nothing is announced
 * once the run was asked to end, and only the seal follows the move.
 */
import { sayDecision, type ApprovalDecision } from '../config/approval.js';
import { hasCode, NightstillError } from '../config/errors.js';
import type { Refusal } from '../config/refusal.js';
import type { PromoteOptions } from '../config/gate-options.js';
import type { VerdictRecord } from '../config/verdict.js';
import { modelCard } from '../evaluation/index.js';
import { canonicalJson, expectAlias, promote, type ArtifactRef } from '../storage/index.js';
import { asJson } from './as-json.js';
import { cardFacts } from './model-card-facts.js';
import { expectedBy, readVerdict, wasRolledBack } from './read-verdict.js';
import type { StageContext, StageProduct } from './stage.js';

type PromoteContext = StageContext<
  PromoteOptions,
  { readonly verdict: string; readonly model: string; readonly dataset: `${string}?`; readonly trained: `${string}?` }
>;

type PromoteProduct = StageProduct<{ readonly promotion: string }>;

/** @throws champion-moved, approval-mismatch, gate-invalid when the verdict is of another model; the codes of the store */
export async function promoteStudent(context: PromoteContext): Promise<PromoteProduct> {
  const { inputs, store, progress } = context;
  progress({ phase: 'read' });
  const verdict = await readVerdict(store, inputs.verdict);
  if (verdict.candidate !== inputs.model.digest)
    throw new NightstillError(
      'gate-invalid',
      `expected a verdict on the model ${inputs.model.digest}, found one on ${verdict.candidate}`,
    );
  if (verdict.verdict !== 'pass') return leave(context, verdict, refusedByGate(verdict));
  if (!context.options.approval) return move(context, verdict);
  const decision = decisionOn(context);
  if (decision?.outcome === 'approved') return move(context, verdict);
  // A person refuses the model, whatever serves.
  if (decision) return record(context, verdict, leftBy(decision));
  const rolledBack = await wasRolledBack(store, verdict);
  return leave(
    context,
    verdict,
    rolledBack ? refused('it was rolled back') : { why: 'nobody was asked to approve it' },
  );
}

/** Why nothing was moved; with `refused`, it stands while nothing changes. */
interface NotMoved {
  readonly why: string;
  readonly refused?: Refusal;
}

const refused = (why: string, because = why, at = new Date().toISOString()): NotMoved => ({
  why,
  refused: { at, because },
});

function refusedByGate({ verdict, comparisons }: VerdictRecord): NotMoved {
  const why = `the verdict of its gate is ${verdict}`;
  const reasons = comparisons.filter(({ outcome }) => outcome === verdict).map(({ reason }) => reason);
  return refused(why, [why, ...reasons].join('; '));
}

/** Somebody who did not answer in time may answer the next time. */
function leftBy(decision: ApprovalDecision): NotMoved {
  const why = sayDecision(decision);
  return decision.outcome === 'rejected' ? refused(why, why, decision.at) : { why };
}

/** @throws approval-mismatch when it is about anything else than what would be moved */
function decisionOn({ decision, inputs }: PromoteContext): ApprovalDecision | undefined {
  if (!decision) return undefined;
  const { candidate, verdict } = decision;
  if (candidate === inputs.model.digest && verdict === inputs.verdict.digest) return decision;
  throw new NightstillError(
    'approval-mismatch',
    `expected a decision on ${inputs.model.digest} by the verdict ${inputs.verdict.digest}, found one on ${candidate} by ${verdict}`,
  );
}

/** A refusal counts only for what it was decided against: against what serves now the student may be the better one. */
async function leave(context: PromoteContext, verdict: VerdictRecord, why: NotMoved): Promise<PromoteProduct> {
  await expectAlias(context.store, { ...verdict, expected: expectedBy(verdict) });
  return record(context, verdict, why);
}

/** Night after night may come to a model that was rolled back: that is no fault. */
async function move(context: PromoteContext, verdict: VerdictRecord): Promise<PromoteProduct> {
  const { inputs, makers, store, writer, runId, progress, decision } = context;
  const { name, alias, reasons } = verdict;
  const operationId = `promote ${writer.stageKey}`;
  const card = await writeCard(context, verdict);
  const moved = await record(context, verdict, undefined);
  progress({ phase: 'move' });
  await announce(context);
  try {
    await promote(store, {
      name,
      alias,
      model: inputs.model,
      card,
      ...(makers['trained'] !== undefined && { trainedBy: makers['trained'] }),
      expected: expectedBy(verdict),
      reason: `passed its gate in run ${runId}: ${[...reasons, ...(decision ? [sayDecision(decision)] : [])].join('; ')}`,
      actor: `run ${runId}`,
      movedAt: new Date().toISOString(),
      operationId,
    });
    return moved;
  } catch (error) {
    if (!hasCode(error, 'digest-refused')) throw error;
    return record(context, verdict, refused(`it was rolled back: ${error.remedy}`));
  }
}

/**
 * An attempt that was taken for dead may wake at any moment. It moves nothing once another has claimed the stage, unless it had
 * announced the move before: that one makes the same move then, also if the run was asked to end since, and so tells the truth.
 * @throws fence-lost, the reason of the signal
 */
async function announce({ writer, signal }: PromoteContext): Promise<void> {
  if (await writer.restore()) return;
  signal.throwIfAborted();
  await writer.save({ step: 1, state: 'about to move' }).durable;
}

/** @param notMoved undefined for a promotion */
async function record(
  { inputs, writer, decision }: PromoteContext,
  { name, alias, champion, reasons, verdict }: VerdictRecord,
  notMoved: NotMoved | undefined,
): Promise<PromoteProduct> {
  const facts = {
    promoted: notMoved === undefined,
    why: notMoved?.why ?? 'it passed its gate',
    verdict,
    reasons,
    name,
    alias,
    model: inputs.model.digest,
    before: champion?.digest ?? null,
    ...(decision && { decision: asJson(decision) }),
    ...(notMoved?.refused && { refused: notMoved.refused }),
  };
  const parts = [await writer.putBlob(Buffer.from(canonicalJson(facts)))];
  const meta = { promoted: facts.promoted };
  return { outputs: { promotion: await writer.putArtifact({ kind: 'promotion', parts, meta }) }, facts };
}

async function writeCard(
  { inputs, options, writer, decision }: PromoteContext,
  verdict: VerdictRecord,
): Promise<ArtifactRef> {
  const part = await writer.putBlob(Buffer.from(modelCard(cardFacts(verdict, options, inputs, decision))));
  return writer.putArtifact({ kind: 'model-card', parts: [part], meta: { file: 'README.md' } });
}

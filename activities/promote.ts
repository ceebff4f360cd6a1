/**
 * The work of the stage `promote`: an alias is moved to the model that passed its gate, by compare-and-swap against the champion that
 * the gate read. First a checkpoint says "about to move", which only the holder of the stage can save; a repeated attempt makes the same
 * move. Once the run is asked to end, no move begins. After a move only the seal follows.
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
  // What a person decided is about the model: it stands, whatever serves now.
  if (decision) return record(context, verdict, leftBy(decision));
  const rolledBack = await wasRolledBack(store, verdict);
  return leave(
    context,
    verdict,
    rolledBack ? refused('it was rolled back') : { why: 'nobody was asked to approve it' },
  );
}

/** Why nothing was moved. With `refused`, later runs take this result while nothing changes: see `standing-refusal.ts`. */
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

/** No answer in time is no refusal: the next run asks again. */
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

/**
 * A refusal counts only against the champion that the gate read: the student may be better than the one that serves now.
 * @throws champion-moved
 */
async function leave(context: PromoteContext, verdict: VerdictRecord, why: NotMoved): Promise<PromoteProduct> {
  await expectAlias(context.store, { ...verdict, expected: expectedBy(verdict) });
  return record(context, verdict, why);
}

/** A model that was rolled back is refused, and the run does not fail: nights may well train that model again. */
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
 * An attempt believed dead may wake. Once another attempt has claimed the stage it moves nothing, unless it had already saved "about to
 * move"; then the successor makes the same move, even if the run was asked to end since.
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

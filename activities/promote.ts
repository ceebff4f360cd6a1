/**
 * The work of the stage `promote`: a model that passed its gate is moved to its name by compare-and-swap against the champion that
 * the gate read. A repeated attempt is the same move; nothing is moved once the run was asked to end,
 * and only the seal follows the move.
 */
import { hasCode, NightstillError } from '../config/errors.js';
import type { PromoteOptions } from '../config/gate-options.js';
import { verdictSchema, type VerdictRecord } from '../config/verdict.js';
import { modelCard } from '../evaluation/index.js';
import {
  canonicalJson,
  expectAlias,
  isAliasMovedBy,
  parseDigest,
  parseJson,
  promote,
  readArtifact,
  readBlob,
  type AliasExpectation,
  type ArtifactRef,
  type ObjectStore,
} from '../storage/index.js';
import { cardFacts } from './model-card-facts.js';
import type { StageContext, StageProduct } from './stage.js';

type PromoteContext = StageContext<
  PromoteOptions,
  { readonly verdict: string; readonly model: string; readonly dataset: `${string}?` }
>;

type PromoteProduct = StageProduct<{ readonly promotion: string }>;

/** @throws champion-moved, gate-invalid when the verdict is of another model; the codes of the store */
export async function promoteStudent(context: PromoteContext): Promise<PromoteProduct> {
  const { inputs, store, progress } = context;
  progress({ phase: 'read' });
  const verdict = await readVerdict(store, inputs.verdict);
  if (verdict.candidate !== inputs.model.digest)
    throw new NightstillError(
      'gate-invalid',
      `expected a verdict on the model ${inputs.model.digest}, found one on ${verdict.candidate}`,
    );
  return verdict.verdict === 'pass' ? move(context, verdict) : leave(context, verdict);
}

/** A refusal counts only for what it was decided against: against what serves now the student may be the better one. */
async function leave(context: PromoteContext, verdict: VerdictRecord): Promise<PromoteProduct> {
  await expectAlias(context.store, { ...verdict, expected: expectedBy(verdict) });
  return record(context, verdict, `the verdict of its gate is ${verdict.verdict}`);
}

/** Night after night may come to a model that was rolled back: that is no fault. */
async function move(context: PromoteContext, verdict: VerdictRecord): Promise<PromoteProduct> {
  const { inputs, store, writer, runId, progress, signal } = context;
  const { name, alias, reasons } = verdict;
  const operationId = `promote ${writer.stageKey}`;
  const card = await writeCard(context, verdict);
  const moved = await record(context, verdict, undefined);
  progress({ phase: 'move' });
  // A move that an earlier attempt made stands, and is told, even if the run was asked to end since.
  if (!(await isAliasMovedBy(store, { name, alias, operationId }))) signal.throwIfAborted();
  try {
    await promote(store, {
      name,
      alias,
      model: inputs.model,
      card,
      expected: expectedBy(verdict),
      reason: `passed its gate in run ${runId}: ${reasons.join('; ')}`,
      actor: `run ${runId}`,
      movedAt: new Date().toISOString(),
      operationId,
    });
    return moved;
  } catch (error) {
    if (!hasCode(error, 'digest-refused')) throw error;
    return record(context, verdict, `it was rolled back: ${error.remedy}`);
  }
}

const expectedBy = ({ champion }: VerdictRecord): AliasExpectation =>
  champion && { counter: champion.counter, digest: parseDigest(champion.digest) };

/** @param notMoved why; undefined for a promotion */
async function record(
  { inputs, writer }: PromoteContext,
  { name, alias, champion, reasons, verdict }: VerdictRecord,
  notMoved: string | undefined,
): Promise<PromoteProduct> {
  const facts = {
    promoted: notMoved === undefined,
    why: notMoved ?? 'it passed its gate',
    verdict,
    reasons,
    name,
    alias,
    model: inputs.model.digest,
    before: champion?.digest ?? null,
  };
  const parts = [await writer.putBlob(Buffer.from(canonicalJson(facts)))];
  const meta = { promoted: facts.promoted };
  return { outputs: { promotion: await writer.putArtifact({ kind: 'promotion', parts, meta }) }, facts };
}

async function writeCard({ inputs, options, writer }: PromoteContext, verdict: VerdictRecord): Promise<ArtifactRef> {
  const part = await writer.putBlob(Buffer.from(modelCard(cardFacts(verdict, options, inputs))));
  return writer.putArtifact({ kind: 'model-card', parts: [part], meta: { file: 'README.md' } });
}

/** @throws record-invalid */
async function readVerdict(store: ObjectStore, artifact: ArtifactRef): Promise<VerdictRecord> {
  const [part] = (await readArtifact(store, artifact)).parts;
  const parsed = verdictSchema.safeParse(part && parseJson(Buffer.from(await readBlob(store, part)).toString()));
  if (parsed.success) return parsed.data;
  throw new NightstillError('record-invalid', `${artifact.uri}: expected a verdict, found another record`);
}

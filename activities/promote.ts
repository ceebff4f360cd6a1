/**
 * The work of the stage `promote`: a model that passed its gate is moved to its name by compare-and-swap against the champion that
 * the gate read. A repeated attempt is the same move; nothing is moved once the run was asked to end.
 */
import { hasCode, NightstillError } from '../config/errors.js';
import type { PromoteOptions } from '../config/gate-options.js';
import { verdictSchema, type VerdictRecord } from '../config/verdict.js';
import { modelCard } from '../evaluation/index.js';
import {
  canonicalJson,
  parseDigest,
  parseJson,
  promote,
  readArtifact,
  readBlob,
  type Alias,
  type ArtifactRef,
  type ObjectStore,
} from '../storage/index.js';
import { cardFacts } from './model-card-facts.js';
import type { StageContext, StageProduct } from './stage.js';

type PromoteContext = StageContext<
  PromoteOptions,
  { readonly verdict: string; readonly model: string; readonly dataset: `${string}?` }
>;

/** @throws champion-moved, gate-invalid when the verdict is of another model; the codes of the store */
export async function promoteStudent(context: PromoteContext): Promise<StageProduct<{ readonly promotion: string }>> {
  const { inputs, store, writer, progress } = context;
  progress({ phase: 'read' });
  const verdict = await readVerdict(store, inputs.verdict);
  if (verdict.candidate !== inputs.model.digest)
    throw new NightstillError(
      'gate-invalid',
      `expected a verdict on the model ${inputs.model.digest}, found one on ${verdict.candidate}`,
    );
  const notMoved = await decideToMove(context, verdict);
  const { name, alias, champion, reasons } = verdict;
  const facts = {
    promoted: notMoved === undefined,
    why: notMoved ?? 'it passed its gate',
    verdict: verdict.verdict,
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

/** Why nothing was moved; undefined where it was. Night after night may come to a model that was rolled back: that is no fault. */
async function decideToMove(context: PromoteContext, verdict: VerdictRecord): Promise<string | undefined> {
  if (verdict.verdict !== 'pass') return `the verdict of its gate is ${verdict.verdict}`;
  try {
    await move(context, verdict, await writeCard(context, verdict));
    return undefined;
  } catch (error) {
    if (!hasCode(error, 'digest-refused')) throw error;
    return `it was rolled back: ${error.remedy}`;
  }
}

async function move(
  { inputs, store, writer, runId, progress, signal }: PromoteContext,
  { name, alias, champion, reasons }: VerdictRecord,
  card: ArtifactRef,
): Promise<Alias> {
  progress({ phase: 'move' });
  signal.throwIfAborted();
  const expected = champion && { counter: champion.counter, digest: parseDigest(champion.digest) };
  return promote(store, {
    name,
    alias,
    model: inputs.model,
    card,
    expected,
    reason: `passed its gate in run ${runId}: ${reasons.join('; ')}`,
    actor: `run ${runId}`,
    movedAt: new Date().toISOString(),
    operationId: `promote ${writer.stageKey}`,
  });
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

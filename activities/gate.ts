/**
 * The work of the stage `gate`: scores are read, the decision is made by the pure function of `evaluation`, and a verdict says
 * what was decided, why, and on what.
 */
import { NightstillError } from '../config/errors.js';
import type { GateOptions } from '../config/gate-options.js';
import { servedSchema } from '../config/verdict.js';
import {
  decideGate,
  readScoreTables,
  summariseScores,
  type GateTables,
  type Observation,
  type ScoresBySystem,
} from '../evaluation/index.js';
import { canonicalJson, isJsonObject, lookupResult, type Json, type StageResult } from '../storage/index.js';
import type { StageContext, StageProduct } from './stage.js';

type GateInputs = {
  readonly model: string;
  readonly candidate: string;
} & { readonly [System in keyof Omit<ScoresBySystem, 'candidate'>]-?: `${string}?` };

/** @throws gate-invalid, gate-margin-too-small, evaluation-invalid; the codes of the store */
export async function gate(
  context: StageContext<GateOptions, GateInputs>,
): Promise<StageProduct<{ readonly verdict: string }>> {
  const { options, inputs, makers, store, writer, progress } = context;
  const { gates, name, alias } = options;
  const { model, ...systems } = inputs;
  const champion = servedBy(options);
  progress({ phase: 'read' });
  const maker = makers['candidate'];
  const measured = maker === undefined ? undefined : await lookupResult(store, maker);
  refuseOtherModel(measured, model.digest);
  const tables: GateTables = {
    candidate: model.digest,
    champion: champion?.digest ?? null,
    scores: await readScoreTables(store, systems),
    observations: observationsOf(measured),
  };
  progress({ phase: 'decide' });
  const { verdict, reasons, comparisons } = decideGate(gates, tables);
  const read = Object.fromEntries(
    Object.entries(systems).flatMap(([system, scores]) => (scores ? [[system, scores.digest]] : [])),
  );
  const decided = { verdict, reasons, name, alias, candidate: model.digest, champion, read };
  const record = { version: 1, ...decided, comparisons, scores: summariseScores(tables.scores) };
  const part = await writer.putBlob(Buffer.from(canonicalJson(record as unknown as Json)));
  const artifact = await writer.putArtifact({ kind: 'verdict', parts: [part], meta: { verdict } });
  return { outputs: { verdict: artifact }, facts: decided };
}

/** Looked up when the plan was resolved. */
function servedBy(options: object): { readonly counter: number; readonly digest: GateTables['candidate'] } | null {
  const found = servedSchema.parse('champion' in options ? options.champion : null);
  return found && { counter: found.counter, digest: found.digest as GateTables['candidate'] };
}

/** Scores of another model would promote this one for what that one can. */
function refuseOtherModel(measured: StageResult | undefined, digest: string): void {
  const preimage = measured?.outcome.preimage;
  const inputs = preimage !== undefined && isJsonObject(preimage) ? preimage['inputs'] : undefined;
  const scored = inputs !== undefined && isJsonObject(inputs) ? inputs['model'] : undefined;
  if (typeof scored !== 'string' || scored === digest) return;
  throw new NightstillError('gate-invalid', `expected scores of the model ${digest}, found those of ${scored}`);
}

/** Every number that the evaluation observed, and whose execution it was. */
function observationsOf(measured: StageResult | undefined): GateTables['observations'] {
  const { observations } = measured?.outcome ?? {};
  if (measured === undefined || observations === undefined || !isJsonObject(observations)) return {};
  const source = `${measured.recordedBy ?? 'an earlier run'}, stage ${measured.stageKey.slice(0, 12)}`;
  const found: [string, Observation][] = Object.entries(observations).flatMap(([name, value]) =>
    typeof value === 'number' ? [[name, { value, source }]] : [],
  );
  return Object.fromEntries(found);
}

/**
 * The work of the stage `gate`: scores are read, the decision is made by the pure function of `evaluation`, and a verdict says
 * what was decided, why, and on what.
 */
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
import { refuseOtherModel, refuseUnlike, scoreKindsOf } from './gate-measurements.js';
import type { StageContext, StageProduct } from './stage.js';

type GateInputs = {
  readonly model: string;
  readonly candidate: string;
} & { readonly [System in keyof Omit<ScoresBySystem, 'candidate'>]-?: `${string}?` };

type GateContext = StageContext<GateOptions, GateInputs>;

/** @throws gate-invalid, gate-margin-too-small, evaluation-invalid; the codes of the store */
export async function gate(context: GateContext): Promise<StageProduct<{ readonly verdict: string }>> {
  const { options, inputs, store, writer, progress } = context;
  const { gates, name, alias } = options;
  const { model, ...systems } = inputs;
  const champion = servedBy(options);
  progress({ phase: 'read' });
  const measured = await measuredBy(context, 'candidate');
  refuseOtherModel('candidate', measured?.outcome, model.digest);
  for (const system of Object.keys(systems).filter((key) => key !== 'candidate')) {
    const other = (await measuredBy(context, system))?.outcome;
    if (system === 'champion' && champion) refuseOtherModel(system, other, champion.digest);
    refuseUnlike(system, other, measured?.outcome);
  }
  const tables: GateTables = {
    candidate: model.digest,
    champion: champion?.digest ?? null,
    scores: await readScoreTables(store, systems, scoreKindsOf(measured?.outcome)),
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

/** The stage that measured a system, where it is known. */
async function measuredBy({ makers, store }: Pick<GateContext, 'makers' | 'store'>, system: string) {
  const maker = makers[system];
  return maker === undefined ? undefined : lookupResult(store, maker);
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

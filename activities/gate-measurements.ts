/**
 * What the scores that a gate is given were measured on: scores of another model would promote this one for what that one can, and
 * scores on other questions, or of answers that were written otherwise, cannot be paired with the candidate's.
 */
import { z } from 'zod';
import { NightstillError } from '../config/errors.js';
import type { ScoreKinds } from '../evaluation/index.js';
import { canonicalJson, isJsonObject, type Json, type StageResult } from '../storage/index.js';

/** What says how a model was measured; of a stage of a user's own it may say less. */
export type Measured = Pick<StageResult['outcome'], 'preimage'> & Partial<Pick<StageResult['outcome'], 'facts'>>;

const factsSchema = z.object({
  scores: z.record(z.string(), z.object({ kind: z.enum(['right-wrong', 'mean']).optional().catch(undefined) })),
});

/** What the scorers say that their scores are, as the evaluation has recorded it: a gate decides by that, and a report as well. */
export function scoreKindsOf(measured: Measured | undefined): ScoreKinds {
  const { scores = {} } = factsSchema.safeParse(measured?.facts).data ?? {};
  return Object.fromEntries(Object.entries(scores).flatMap(([id, { kind }]) => (kind ? [[id, kind]] : [])));
}

/** @throws gate-invalid */
export function refuseOtherModel(system: string, measured: Measured | undefined, digest: string): void {
  const scored = partOf(measured, 'inputs', 'model');
  if (typeof scored !== 'string' || scored === digest) return;
  throw new NightstillError(
    'gate-invalid',
    `${system}: expected scores of the model ${digest}, found those of ${scored}`,
  );
}

/** @throws gate-invalid */
export function refuseUnlike(system: string, other: Measured | undefined, candidate: Measured | undefined): void {
  refuseOther(`${system}: the dataset`, partOf(other, 'inputs', 'dataset'), partOf(candidate, 'inputs', 'dataset'));
  if (partOf(other, 'kind') !== partOf(candidate, 'kind')) return;
  refuseOther(`${system}: the options of the evaluation`, partOf(other, 'options'), partOf(candidate, 'options'));
}

function refuseOther(what: string, found: Json | undefined, expected: Json | undefined): void {
  if (found === undefined || expected === undefined) return;
  const [ofOther, ofCandidate] = [canonicalJson(found), canonicalJson(expected)];
  if (ofOther === ofCandidate) return;
  throw new NightstillError('gate-invalid', `${what}: expected the candidate's, ${ofCandidate}, found ${ofOther}`);
}

const partOf = (measured: Measured | undefined, ...path: readonly string[]): Json | undefined =>
  path.reduce<Json | undefined>(
    (value, name) => (value !== undefined && isJsonObject(value) ? value[name] : undefined),
    measured?.preimage,
  );

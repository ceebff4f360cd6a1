/**
 * The identity of a node's work: everything that its result depends on, and nothing else. Options that equal their default
 * are left out, so that a new option changes no old key; in place of an option that names data outside the store stands the
 * identity of that data; inputs are their digests. The key of a stage that acts also holds the run, and the decision of a person: its
 * result is reused in no other run.
 */
import type { NodeInput, StageIdentity } from '../config/plan.js';
import type { SourceKind, StageKind } from '../config/stage-kind.js';
import { datasetSchema } from '../config/dataset-schema.js';
import { teacherEndpointSchema, teacherIdentity } from '../config/teacher-schema.js';
import { identifyModelDirectory, openDataset } from '../distillation/index.js';
import { canonicalJson, stageKeyOf, type Json, type JsonObject } from '../storage/index.js';
import { asJson } from './as-json.js';

/** @throws dataset-missing, store-unavailable, store-access-denied */
export async function identifyStage(
  kind: StageKind,
  node: Pick<NodeInput, 'with' | 'inputs' | 'numerics' | 'makers' | 'decision'> & Partial<Pick<NodeInput, 'runId'>>,
): Promise<StageIdentity> {
  const { with: options, inputs, numerics, makers = {}, runId = null, decision } = node;
  const identified: Record<string, Json> = {};
  for (const [name, value = null] of Object.entries(options)) {
    if (kind.immaterial.includes(name)) continue;
    // Of a kind that takes any option, one may be named like a member that every object has.
    const source = Object.hasOwn(kind.sources, name) ? kind.sources[name] : undefined;
    const identity = source && (await identifySource(source, value));
    if (identity) identified[name] = identity;
    else if (!isDefault(kind, name, value)) identified[name] = value;
  }
  const preimage: JsonObject = {
    kind: kind.kind,
    version: kind.version,
    options: identified,
    inputs: Object.fromEntries(Object.entries(inputs).map(([name, { digest }]) => [name, digest])),
    ...(numerics && { numerics }),
    ...(kind.observes.length > 0 && {
      observed: Object.fromEntries(kind.observes.map((name) => [name, makers[name] ?? null])),
    }),
    ...(!kind.reusable && { run: runId }),
    ...(decision && { decision: asJson(decision) }),
  };
  return { stageKey: stageKeyOf(preimage), preimage };
}

function isDefault({ defaults }: StageKind, name: string, value: Json): boolean {
  const standard = Object.hasOwn(defaults, name) ? defaults[name] : undefined;
  return standard !== undefined && canonicalJson(standard) === canonicalJson(value);
}

async function identifySource(kind: SourceKind, source: Json): Promise<JsonObject | undefined> {
  if (kind === 'teacher') return teacherIdentity(teacherEndpointSchema.parse(source));
  if (kind === 'model-directory') return typeof source === 'string' ? identifyModelDirectory(source) : undefined;
  if (source === null) return undefined;
  const dataset = await openDataset(datasetSchema.parse(source));
  try {
    return await dataset.identify();
  } finally {
    await dataset.close();
  }
}

/**
 * The identity of a node's work: everything that its result depends on, and nothing else. Options that equal their default
 * are left out, so that a new option changes no old key; in place of an option that names data outside the store stands the
 * identity of that data; inputs are their digests.
 */
import type { NodeInput, StageIdentity } from '../config/plan.js';
import type { StageKind } from '../config/stage-kind.js';
import { openDatasetSource } from '../distillation/index.js';
import { canonicalJson, digestOf, hexOf, type Json, type JsonObject } from '../storage/index.js';

/** @throws dataset-missing, store-unavailable, store-access-denied */
export async function identifyStage(kind: StageKind, { with: options, inputs }: NodeInput): Promise<StageIdentity> {
  const identified: Record<string, Json> = {};
  for (const [name, value = null] of Object.entries(options)) {
    if (kind.sources.includes(name) && typeof value === 'string') identified[name] = await identifySource(value);
    else if (!isDefault(kind, name, value)) identified[name] = value;
  }
  const preimage: JsonObject = {
    kind: kind.kind,
    version: kind.version,
    options: identified,
    inputs: digestsOf(inputs),
  };
  return { stageKey: hexOf(digestOf(canonicalJson(preimage))), preimage };
}

function isDefault({ defaults }: StageKind, name: string, value: Json): boolean {
  const standard = defaults[name];
  return standard !== undefined && canonicalJson(standard) === canonicalJson(value);
}

async function identifySource(uri: string): Promise<JsonObject> {
  const source = await openDatasetSource(uri);
  try {
    return await source.identify();
  } finally {
    await source.close();
  }
}

const digestsOf = (inputs: NodeInput['inputs']): JsonObject =>
  mapValues(inputs, (outputs) => mapValues(outputs, ({ digest }) => digest));

const mapValues = <Value>(record: Readonly<Record<string, Value>>, map: (value: Value) => Json): JsonObject =>
  Object.fromEntries(Object.entries(record).map(([name, value]) => [name, map(value)]));

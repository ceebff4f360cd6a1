/** Reads the record in an artifact `verdict`, and what follows from it for the alias. */
import { NightstillError } from '../config/errors.js';
import { verdictSchema, type VerdictRecord } from '../config/verdict.js';
import {
  parseDigest,
  parseJson,
  readAlias,
  readArtifact,
  readBlob,
  type AliasExpectation,
  type ArtifactRef,
  type ObjectStore,
} from '../storage/index.js';

/** @throws record-invalid */
export async function readVerdict(store: ObjectStore, artifact: ArtifactRef): Promise<VerdictRecord> {
  const [part] = (await readArtifact(store, artifact)).parts;
  const parsed = verdictSchema.safeParse(part && parseJson(Buffer.from(await readBlob(store, part)).toString()));
  if (parsed.success) return parsed.data;
  throw new NightstillError('record-invalid', `${artifact.uri}: expected a verdict, found another record`);
}

/** The champion that the gate read. */
export const expectedBy = ({ champion }: VerdictRecord): AliasExpectation =>
  champion && { counter: champion.counter, digest: parseDigest(champion.digest) };

/** The store refuses such a model until somebody names its digest, so nobody has to be asked about it. */
export async function wasRolledBack(store: ObjectStore, { name, alias, candidate }: VerdictRecord): Promise<boolean> {
  const found = await readAlias(store, name, alias);
  return found?.refused.includes(parseDigest(candidate)) === true;
}

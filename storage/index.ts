/** Durable bytes: `nightstill/storage`. */
export {
  beforeCurrent,
  expectAlias,
  listAliases,
  promote,
  readAlias,
  resolveAlias,
  rollback,
  type Alias,
  type AliasExpectation,
  type AliasMove,
  type Promotion,
} from './aliases.js';
export {
  artifactRefSchema,
  findArtifact,
  hasArtifact,
  readArtifact,
  readContent,
  type ArtifactIndex,
  type ArtifactPart,
  type ArtifactRef,
  type NewArtifact,
} from './artifacts.js';
export { blobRefSchema, readBlob, type BlobRef } from './blobs.js';
export { canonicalJson, isJsonArray, isJsonObject, parseJson, type Json, type JsonObject } from './canonical-json.js';
export { claimStage, isClaimOver, type ClaimRequest } from './claim.js';
export { collect, type CollectionOptions, type CollectionReport, type Tally } from './collect.js';
export { digestOf, hexOf, isDigest, parseDigest, type Digest } from './digest.js';
export { stageOwnerSchema, type IsOpen, type OpenQuestion, type StageOwner } from './head.js';
export type { StageOutcome } from './manifest.js';
export type {
  ByteRange,
  GetOptions,
  ObjectBody,
  ObjectDescription,
  ObjectStore,
  PutOptions,
  StoredObject,
} from './object-store.js';
export { openObjectStore } from './open-store.js';
export type { NamedArrays } from './packs.js';
export { PacedSaves, type PacedSave } from './paced-saves.js';
export type { RestoredCheckpoint } from './restore.js';
export { putPreimage, readPreimage, stageKeyOf } from './preimages.js';
export { lookupResult, lookupStage, newestCheckpoint, type StageLookup, type StageResult } from './results.js';
export {
  addRunStages,
  closeRun,
  openRun,
  readPlan,
  readRun,
  type KnownRun,
  type NewRun,
  type PlanRecord,
  type Run,
} from './runs.js';
export { parseStoreUrl } from './store-url.js';
export { StageWriter, type NewCheckpoint, type SaveTicket } from './stage-writer.js';

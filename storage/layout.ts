/**
 * Where everything lies in a store:
 *
 *   blobs/sha256/<hex>                           content-addressed bytes
 *   heads/<stage key>.json                       who holds a stage, and its newest checkpoint
 *   checkpoints/<stage key>/<step>-<fence>.json  manifests; final-<fence>.json is a seal
 *   results/<stage key>.json                     what a finished stage produced
 *   runs/<run id>.json                           which stages a run needs
 *   plans/<plan name>.json                       the newest run of a plan
 *   models/<name>/<alias>.json                   which model serves
 *   responses/<teacher>/…                        what a teacher was asked and has answered; never collected
 *   budgets/<name>.json                          money that runs share; never collected
 *   removed/<stage key>.json                     results taken away by collection, until their blobs follow
 *   quarantine/<what>/<id>                       damaged objects, put aside
 *   clocks/<id>                                  empty objects by which a collection learns the time
 *   probe/…                                      the verdict on the store's atomicity
 */
import { NightstillError } from '../config/errors.js';
import { hexOf, type Digest } from './digest.js';

/** 64 hex digits: the digest of everything a stage's output depends on. */
export type StageKey = string;

export const prefixes = {
  blobs: 'blobs/sha256/',
  heads: 'heads/',
  checkpoints: 'checkpoints/',
  results: 'results/',
  runs: 'runs/',
  plans: 'plans/',
  models: 'models/',
  responses: 'responses/',
  budgets: 'budgets/',
  removed: 'removed/',
  quarantine: 'quarantine/',
  clocks: 'clocks/',
} as const;

/** Does this key lie where something of ours does? In a bucket without a prefix others may write as well. */
export const isInLayout = (key: string): boolean => Object.values(prefixes).some((prefix) => key.startsWith(prefix));

export const blobKey = (digest: Digest): string => `${prefixes.blobs}${hexOf(digest)}`;
/** A stage key is the digest of its preimage, which is a blob. */
export const preimageKey = (stageKey: StageKey): string => `${prefixes.blobs}${checked(stageKey)}`;
export const headKey = (stageKey: StageKey): string => `${prefixes.heads}${checked(stageKey)}.json`;
export const manifestPrefix = (stageKey: StageKey): string => `${prefixes.checkpoints}${checked(stageKey)}/`;
export const resultKey = (stageKey: StageKey): string => `${prefixes.results}${checked(stageKey)}.json`;
export const removedKey = (stageKey: StageKey): string => `${prefixes.removed}${checked(stageKey)}.json`;
export const runKey = (id: string): string => `${prefixes.runs}${segmentOf(id)}.json`;
export const planKey = (name: string): string => `${prefixes.plans}${segmentOf(name)}.json`;
export const aliasKey = (name: string, alias: string): string =>
  `${prefixes.models}${segmentOf(name)}/${segmentOf(alias)}.json`;

/** Zero-padded, so that a listing is in order of steps. */
export const manifestKey = (stageKey: StageKey, step: number, fence: number): string =>
  `${manifestPrefix(stageKey)}${String(step).padStart(12, '0')}-${String(fence).padStart(10, '0')}.json`;
export const sealKey = (stageKey: StageKey, fence: number): string =>
  `${manifestPrefix(stageKey)}final-${String(fence).padStart(10, '0')}.json`;

/** `heads/<stage key>.json` → the stage key; undefined for a name that is none. */
export function stageKeyOf(prefix: string, key: string): StageKey | undefined {
  const name = key.slice(prefix.length).replace(/\.json$/, '');
  return key.startsWith(prefix) && stageKeyPattern.test(name) ? name : undefined;
}

const stageKeyPattern = /^[0-9a-f]{64}$/;

function checked(stageKey: StageKey): StageKey {
  if (stageKeyPattern.test(stageKey)) return stageKey;
  throw new NightstillError(
    'object-key-invalid',
    `expected a stage key of 64 hex digits, found "${stageKey.slice(0, 80)}"`,
  );
}

/** Leaves room for an ending (`.json`) in a segment of a key, see `keys.ts`. */
const longestSegment = 230;

/** Any name (a workflow id, a model's name) as one legal segment of a key: other bytes than A-Z a-z 0-9 . _ - become =xx. */
export function segmentOf(name: string): string {
  const segment = Array.from(Buffer.from(name))
    .map((byte) => (/[A-Za-z0-9_.-]/.test(String.fromCharCode(byte)) ? String.fromCharCode(byte) : `=${hex(byte)}`))
    .join('')
    .replace(/^\.+/, (dots) => '=2e'.repeat(dots.length));
  if (segment !== '' && segment.length <= longestSegment) return segment;
  throw new NightstillError(
    'object-key-invalid',
    `expected a name that takes 1 to ${longestSegment} characters in a key, found ${segment.length}`,
  );
}

const hex = (byte: number): string => byte.toString(16).padStart(2, '0');

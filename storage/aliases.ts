/**
 * Aliases: which model serves under a name. An alias moves by compare-and-swap against what the decision was made on (the
 * counter and digest that the gate read), keeps its history, can be rolled back, and refuses a digest that was rolled back
 * until somebody names it. An operation id makes a repeated promotion one promotion.
 */
import { z } from 'zod';
import { NightstillError } from '../config/errors.js';
import { artifactRefSchema, type ArtifactRef } from './artifacts.js';
import { moveRecord, movingFields, type MovingFields } from './conditional.js';
import type { Digest } from './digest.js';
import { aliasKey, prefixes } from './layout.js';
import type { ObjectStore } from './object-store.js';
import { digestSchema, readRecord, type RecordKind } from './record.js';

const entrySchema = z.looseObject({
  model: artifactRefSchema,
  /** What is told of the model: a README.md, beside its files when it is exported. */
  card: artifactRefSchema.optional(),
  /** Key of the training that it came from first: where trainings begin with what serves, that one is not done again upon itself. */
  trainedBy: z.string().optional(),
  /** Why it was moved there, in words: the run, the person, the gate's sentence. */
  reason: z.string(),
  operationId: z.string(),
  /** Who moved it, as they call themselves. */
  actor: z.string().optional(),
  /** When, by the clock of whoever moved it, in ISO 8601. For people: nothing is decided by it. */
  movedAt: z.string().optional(),
});

const aliasSchema = z.looseObject({
  ...movingFields,
  name: z.string(),
  alias: z.string(),
  current: entrySchema,
  /** What served before, newest first; kept from collection. */
  history: z.array(entrySchema),
  /** Digests that were rolled back. */
  refused: z.array(digestSchema),
});
export type Alias = z.output<typeof aliasSchema>;

export const aliasKind: RecordKind<Alias> = { kind: 'alias', version: 1, schema: aliasSchema };

const historyKept = 20;

/** What a gate read and decided on; null when there was no champion. */
export type AliasExpectation = { readonly counter: number; readonly digest: Digest } | null;

export interface AliasMove {
  readonly name: string;
  readonly alias: string;
  readonly expected: AliasExpectation;
  readonly reason: string;
  readonly actor?: string;
  readonly movedAt?: string;
  /** The same id again is the same move, not a second one. */
  readonly operationId: string;
}

export interface Promotion extends AliasMove {
  readonly model: ArtifactRef;
  readonly card?: ArtifactRef;
  readonly trainedBy?: string;
  /** Promote a digest that was rolled back: it must be named here, so that nobody does it by accident. */
  readonly evenIfRefused?: Digest;
}

export async function readAlias(store: ObjectStore, name: string, alias: string): Promise<Alias | undefined> {
  return (await readRecord(store, aliasKind, aliasKey(name, alias)))?.value;
}

type AliasName = Pick<AliasMove, 'name' | 'alias'>;

/** @throws champion-moved when something else serves than what a decision was made on */
export async function expectAlias(
  store: ObjectStore,
  { name, alias, expected }: AliasName & Pick<AliasMove, 'expected'>,
): Promise<void> {
  assertExpected(await readAlias(store, name, alias), expected, `${name}/${alias}`);
}

/** All of a store, in the order of their names. */
export async function listAliases(store: ObjectStore): Promise<Alias[]> {
  const found: Alias[] = [];
  for await (const { key } of store.list(prefixes.models)) {
    const record = await readRecord(store, aliasKind, key);
    if (record) found.push(record.value);
  }
  return found;
}

/** @throws alias-missing */
export async function resolveAlias(store: ObjectStore, name: string, alias: string): Promise<ArtifactRef> {
  const found = await readAlias(store, name, alias);
  if (found) return found.current.model;
  throw missing(name, alias);
}

/** @throws champion-moved, digest-refused */
export async function promote(store: ObjectStore, promotion: Promotion): Promise<Alias> {
  const { name, alias, model, evenIfRefused } = promotion;
  return moveAlias(store, promotion, (current, moving) => {
    const refused = current?.refused ?? [];
    if (refused.includes(model.digest) && evenIfRefused !== model.digest)
      throw new NightstillError('digest-refused', `${name}/${alias}: ${model.digest} was rolled back`);
    // Moved by hand, a model still knows what it was taught.
    const before = (current ? [current.current, ...current.history] : []).find(
      (entry) => entry.model.digest === model.digest,
    );
    const trainedBy = promotion.trainedBy ?? before?.trainedBy;
    return {
      ...current,
      ...moving,
      name,
      alias,
      current: {
        model,
        ...(promotion.card && { card: promotion.card }),
        ...(trainedBy !== undefined && { trainedBy }),
        ...saidOf(promotion),
      },
      history: pastOf(current, model).slice(0, historyKept),
      refused: refused.filter((digest) => digest !== model.digest),
    };
  });
}

/** What served before `model` does; a model that is promoted again where it serves is not its own past. */
function pastOf(current: Alias | undefined, model: ArtifactRef): Alias['history'] {
  if (!current) return [];
  return current.current.model.digest === model.digest ? current.history : [current.current, ...current.history];
}

/** Where a rollback leads: the newest of the past that is neither what serves nor refused; then what served before that. */
export function beforeCurrent({ current, history, refused }: Alias): Alias['history'] {
  const left = new Set([current.model.digest, ...refused]);
  const index = history.findIndex(({ model }) => !left.has(model.digest));
  return index < 0 ? [] : history.slice(index);
}

/**
 * Back to what served before; the digest that is left is refused from now on, and none that is refused is come back to.
 * @throws champion-moved, alias-missing when there is nothing before
 */
export async function rollback(store: ObjectStore, move: AliasMove): Promise<Alias> {
  const { name, alias } = move;
  return moveAlias(store, move, (current, moving) => {
    const [previous, ...history] = current ? beforeCurrent(current) : [];
    if (!current || !previous) throw missing(name, alias);
    const refused = [...new Set([current.current.model.digest, ...current.refused])];
    return {
      ...current,
      ...moving,
      current: {
        model: previous.model,
        ...(previous.card && { card: previous.card }),
        ...(previous.trainedBy !== undefined && { trainedBy: previous.trainedBy }),
        ...saidOf(move),
      },
      history,
      refused,
    };
  });
}

/** What an entry keeps of a move besides the model. */
const saidOf = ({ reason, operationId, actor, movedAt }: AliasMove) => ({
  reason,
  operationId,
  ...(actor !== undefined && { actor }),
  ...(movedAt !== undefined && { movedAt }),
});

async function moveAlias(
  store: ObjectStore,
  { name, alias, expected, operationId }: AliasMove,
  decide: (current: Alias | undefined, moving: MovingFields) => Alias,
): Promise<Alias> {
  const moved = await moveRecord<Alias>(store, {
    kind: aliasKind,
    key: aliasKey(name, alias),
    operationId,
    decide: (current, moving) => {
      assertExpected(current, expected, `${name}/${alias}`);
      return decide(current, moving);
    },
  });
  return moved.value;
}

function assertExpected(current: Alias | undefined, expected: AliasExpectation, name: string): void {
  if (current?.counter === expected?.counter && current?.current.model.digest === expected?.digest) return;
  const say = (counter: number | undefined, digest: string | undefined): string =>
    counter === undefined ? 'no model' : `${digest} at counter ${counter}`;
  throw new NightstillError(
    'champion-moved',
    `${name}: expected ${say(expected?.counter, expected?.digest)}, found ${say(current?.counter, current?.current.model.digest)}`,
  );
}

const missing = (name: string, alias: string): NightstillError =>
  new NightstillError('alias-missing', `${name}/${alias}: expected a promoted model, found none`);

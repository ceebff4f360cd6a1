/**
 * The journal of one process: its intents are durable here before its calls are made. One object, moved by compare-and-swap; many
 * intents share a move (group commit). Once somebody has closed it the process can write down no more intents, and so makes no
 * more calls: that is what makes it sound to count what a process has spent when it seems to be dead.
 */
import { z } from 'zod';
import { NightstillError } from '../../config/errors.js';
import type { ObjectStore } from '../../storage/index.js';
import {
  moveRecord,
  movingFields,
  newOperationId,
  readRecord,
  type MovingFields,
  type ReadRecord,
  type RecordKind,
} from '../../storage/records/index.js';
import { answered, callsFields, lost, noCalls, spentAtMost, type Calls } from './calls.js';
import { coalesced } from './coalesce.js';
import type { Holder } from './ledger.js';
import type { NanoUsd } from './money.js';
import { Responses } from './responses.js';

export const holderSchema = z.looseObject({ stage: z.string(), fence: z.number().int().nonnegative() });

const sessionSchema = z.looseObject({
  ...movingFields,
  ...callsFields,
  /** See `teacherKey`. */
  teacher: z.string(),
  runId: z.string(),
  holder: holderSchema,
  closed: z.boolean(),
});
export type SessionRecord = z.output<typeof sessionSchema>;
const sessionKind: RecordKind<SessionRecord> = { kind: 'response-session', version: 1, schema: sessionSchema };

/** Whose journal it is, and where it lies. */
export interface SessionName {
  readonly key: string;
  readonly teacher: string;
  readonly runId: string;
  readonly holder: Holder;
}

export class Session {
  readonly name: SessionName;
  calls: Calls = noCalls;
  readonly #store: ObjectStore;
  /** As it was written last; undefined when that is not known. */
  #stored: ReadRecord<SessionRecord> | undefined;
  #began = false;

  constructor(store: ObjectStore, name: SessionName) {
    this.#store = store;
    this.name = name;
  }

  /** Makes the calls durable as they are now. @throws fence-lost when the journal was closed by somebody else */
  readonly write = coalesced(() => this.#move(false));

  /** Ends it: what is open has come to nothing. @returns what was spent at most */
  async close(): Promise<NanoUsd> {
    for (const id of Object.keys(this.calls.open)) this.calls = lost(this.calls, id, 'process-ended');
    if (this.#began) await this.#move(true);
    return spentAtMost(this.calls);
  }

  async #move(closed: boolean): Promise<void> {
    const { key, teacher, runId, holder } = this.name;
    const { calls } = this;
    const known = this.#stored;
    this.#stored = undefined;
    this.#began = true;
    const decide = (current: SessionRecord | undefined, moving: MovingFields): SessionRecord => {
      if (current?.closed) throw closedBySuccessor(key);
      return { ...current, ...moving, ...calls, teacher, runId, holder: { ...holder }, closed };
    };
    const moved = await moveRecord(this.#store, {
      kind: sessionKind,
      key,
      operationId: newOperationId(),
      known,
      decide,
    });
    this.#stored = moved;
    if (moved.value.closed && !closed) throw closedBySuccessor(key);
  }
}

export async function readSession(store: ObjectStore, key: string): Promise<SessionRecord | undefined> {
  return (await readRecord(store, sessionKind, key))?.value;
}

/**
 * Closes the journal of a process that is over: of its open calls those whose response was recorded are answered, of the others
 * nobody knows. One that never wrote a journal finds it closed when it begins.
 */
export async function closeSession(
  store: ObjectStore,
  { key, teacher, runId, holder }: SessionName,
): Promise<SessionRecord> {
  const before = await readSession(store, key);
  if (before?.closed) return before;
  const responses = new Responses(store, teacher);
  const decide = async (current: SessionRecord | undefined, moving: MovingFields): Promise<SessionRecord> => {
    if (current?.closed) return { ...current, ...moving };
    const calls = await resolved(responses, current ?? noCalls);
    return { ...current, ...moving, ...calls, teacher, runId, holder: { ...holder }, closed: true };
  };
  return (await moveRecord<SessionRecord>(store, { kind: sessionKind, key, operationId: newOperationId(), decide }))
    .value;
}

async function resolved(responses: Responses, { answered: done, refused, open, lost: ended }: Calls): Promise<Calls> {
  let calls: Calls = { answered: done, refused, open, lost: ended };
  const found = await responses.find(Object.values(open).map(({ key }) => key));
  for (const [id, { key }] of Object.entries(open)) {
    const response = found.get(key);
    calls = response?.callId === id ? answered(calls, response) : lost(calls, id, 'process-ended');
  }
  return calls;
}

const closedBySuccessor = (key: string): NightstillError =>
  new NightstillError('fence-lost', `${key}: expected the journal of this process, found it closed by a successor`, {
    details: { key },
  });

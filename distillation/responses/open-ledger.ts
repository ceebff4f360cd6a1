/** Opens the ledger of one teacher for one process, and settles what processes before it have left behind. */
import { randomUUID } from 'node:crypto';
import { hasCode, NightstillError } from '../../config/errors.js';
import type { ObjectStore } from '../../storage/index.js';
import { settleEnded } from './budget.js';
import { answered, lost, opened, refused, reportOf, withdrawn, type Calls } from './calls.js';
import type {
  Call,
  Compaction,
  GivenUp,
  Holder,
  Ledger,
  LedgerReport,
  LedgerRequest,
  NewCall,
  NewResponse,
} from './ledger.js';
import { nanoUsd, type NanoUsd } from './money.js';
import { pathsOf } from './paths.js';
import { Purse } from './purse.js';
import { teacherKey, type RequestKey } from './request-key.js';
import type { RecordedResponse } from './response.js';
import { Responses } from './responses.js';
import { closeSession, readSession, Session, type SessionName, type SessionRecord } from './session.js';

/** @throws fence-lost when a later fence of the stage has opened it before */
export async function openLedger(store: ObjectStore, request: LedgerRequest): Promise<Ledger> {
  const { runId, holder, caps = [] } = request;
  const teacher = teacherKey(request.teacher);
  const key = pathsOf(teacher).session(runId, randomUUID());
  const isOver = async (other: Holder): Promise<boolean> =>
    other.stage === holder.stage ? other.fence < holder.fence : ((await request.isOver?.(other)) ?? false);
  const name: SessionName = { key, teacher, runId, holder };
  const session = new Session(store, name);
  // The fence. Of two that open each is in the store before it looks: the earlier sees the later and ends, or is seen and closed.
  await session.write();
  for (const [other, record] of await sessionsOf(store, teacher, runId)) {
    if (record.holder.stage === holder.stage && record.holder.fence > holder.fence) throw overtaken(holder, other);
    if (!record.closed && (await isOver(record.holder))) await closeSession(store, { ...record, key: other });
  }
  for (const { budget } of caps) await settleEnded(store, budget, isOver);
  return new SessionLedger(store, session, new Purse(store, { session: name, caps, isOver }), caps.length > 0);
}

class SessionLedger implements Ledger {
  readonly #store: ObjectStore;
  readonly #session: Session;
  readonly #responses: Responses;
  readonly #purse: Purse;
  readonly #isCapped: boolean;

  constructor(store: ObjectStore, session: Session, purse: Purse, isCapped: boolean) {
    this.#store = store;
    this.#session = session;
    this.#responses = new Responses(store, session.name.teacher);
    this.#purse = purse;
    this.#isCapped = isCapped;
  }

  find(keys: Iterable<RequestKey>): Promise<Map<RequestKey, RecordedResponse>> {
    return this.#responses.find(keys);
  }

  async intend({ key, atMost }: NewCall): ReturnType<Ledger['intend']> {
    if (atMost === undefined && this.#isCapped) throw withoutPrice();
    try {
      await this.#purse.take(atMost ?? nanoUsd(0));
    } catch (error) {
      // What has an answer needs no money.
      const recorded = hasCode(error, 'budget-exhausted') && (await this.#responses.findOne(key));
      if (recorded) return { recorded };
      throw error;
    }
    const call: Call = { id: randomUUID(), key, atMost };
    try {
      const recorded = await this.#responses.findOne(key);
      if (recorded) {
        this.#purse.giveBack(promisedTo(call), nanoUsd(0));
        return { recorded };
      }
      this.#change((calls) => opened(calls, call.id, { key, atMost: atMost ?? null }));
      await this.#session.write();
      return { call };
    } catch (error) {
      this.#change((calls) => withdrawn(calls, call.id));
      this.#purse.giveBack(promisedTo(call), nanoUsd(0));
      throw error;
    }
  }

  async record(call: Call, { content, price, observations }: NewResponse): Promise<RecordedResponse> {
    const { runId } = this.#session.name;
    const response = { key: call.key, content, price: price ?? null, callId: call.id, runId, observations };
    const first = await this.#responses.put(response);
    const spent = price?.nanoUsd ?? promisedTo(call);
    this.#end(call, spent, (calls) =>
      first.callId === call.id ? answered(calls, first) : lost(calls, call.id, 'came-second', spent),
    );
    return first;
  }

  giveUp(call: Call, { reason, maybePaid }: GivenUp): void {
    const spent = maybePaid ? promisedTo(call) : nanoUsd(0);
    this.#end(call, spent, (calls) => (maybePaid ? lost(calls, call.id, reason) : refused(calls, call.id, reason)));
  }

  async compact(onProgress?: (progress: Compaction) => void): Promise<{ readonly moved: number }> {
    return { moved: await this.#responses.compact(onProgress) };
  }

  async report(): Promise<LedgerReport> {
    const { key, teacher, runId } = this.#session.name;
    const others = (await sessionsOf(this.#store, teacher, runId)).filter(([other]) => other !== key);
    return reportOf([this.#session.calls, ...others.map(([, record]) => record)]);
  }

  async close(): Promise<void> {
    await this.#purse.settle(await this.#session.close());
  }

  /** A call ends once; what is heard of it later changes no money. */
  #end(call: Call, spent: NanoUsd, change: (calls: Calls) => Calls): void {
    const wasOpen = this.#session.calls.open[call.id] !== undefined;
    this.#change(change);
    if (wasOpen) this.#purse.giveBack(promisedTo(call), spent);
  }

  #change(change: (calls: Calls) => Calls): void {
    this.#session.calls = change(this.#session.calls);
  }
}

/** The journals of a run, by their keys. */
async function sessionsOf(store: ObjectStore, teacher: string, runId: string): Promise<[string, SessionRecord][]> {
  const sessions: [string, SessionRecord][] = [];
  for await (const { key } of store.list(pathsOf(teacher).sessions(runId))) {
    const record = await readSession(store, key);
    if (record) sessions.push([key, record]);
  }
  return sessions;
}

const promisedTo = ({ atMost }: Call): NanoUsd => atMost ?? nanoUsd(0);

const overtaken = ({ stage, fence }: Holder, key: string): NightstillError =>
  new NightstillError(
    'fence-lost',
    `stage ${stage}: expected fence ${fence} to be the latest, found a later one at ${key}`,
    {
      details: { key },
    },
  );

const withoutPrice = (): NightstillError =>
  new NightstillError('plan-invalid', 'expected prices of the teacher, by which a cap can be kept, found none');

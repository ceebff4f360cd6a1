/** Short ways to open a response ledger and to say what a teacher has said. */
import {
  fromUsd,
  openLedger,
  requestDigest,
  requestKey,
  type Cap,
  type Ledger,
  type LedgerRequest,
  type NewResponse,
  type TeacherIdentity,
} from '../../distillation/responses/index.js';
import type { ObjectStore } from '../../storage/index.js';

export const teacher: TeacherIdentity = { endpoint: 'http://127.0.0.1:8000/v1', model: 'large', revision: '2026-11' };

const bodyOf = (question: string) => ({ model: teacher.model, messages: [{ role: 'user', content: question }] });

export const keyOf = (question: string, sample = 0): string =>
  requestKey({ ...teacher, body: bodyOf(question), sample });

export const keysTo = (count: number, of = 'question'): string[] =>
  Array.from({ length: count }, (_, index) => keyOf(`${of} ${index}`));

export const responseOf = (answer: string, usd: number | null = 0.01): NewResponse => ({
  content: {
    requestDigest: requestDigest(bodyOf(answer)),
    ...teacher,
    servedModel: teacher.model,
    servedFingerprint: null,
    body: { answer },
    finishReason: 'stop',
    usage: { promptTokens: 3, completionTokens: 2 },
  },
  price: usd === null ? undefined : { nanoUsd: fromUsd(usd), prices: '2026-11-01' },
  observations: {},
});

export const cap = (usd: number, budget = 'run/one'): Cap => ({ budget, amount: fromUsd(usd) });

export const open = (store: ObjectStore, fence = 1, request: Partial<LedgerRequest> = {}): Promise<Ledger> =>
  openLedger(store, { teacher, runId: 'one', holder: { stage: 'answer', fence }, ...request });

/** Asks and hears the answer. @returns what is recorded */
export async function ask(ledger: Ledger, key: string, answer = 'yes', usd = 0.01, atMostUsd = 0.05): Promise<string> {
  const intent = await ledger.intend({ key, atMost: fromUsd(atMostUsd) });
  const recorded = 'call' in intent ? await ledger.record(intent.call, responseOf(answer, usd)) : intent.recorded;
  return JSON.stringify(recorded.content.body);
}

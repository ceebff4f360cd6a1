/**
 * The response ledger and its budget through a network and a server that do everything they do on bad days, by a seeded plan. Several
 * stages ask the same questions under one cap; whoever gets no answer of the store is gone, and followed by another process. Every call is
 * answered differently, so that an answer that changes is seen. What holds is checked again at the server, past the faults.
 */
import { hasCode } from '../../config/errors.js';
import { fromUsd, type Ledger } from '../../distillation/responses/index.js';
import { S3Store } from '../../storage/s3.js';
import { FaultProxy, type FaultRule } from '../support/fault-proxy.js';
import { cap, keysTo, open, responseOf } from '../support/responses.js';
import { S3Server } from '../support/s3-server.js';

const seed = 2_718;
const storm: readonly FaultRule[] = [
  { fault: 'slow-down', probability: 0.03 },
  { fault: 'internal-error', probability: 0.03 },
  { fault: 'conflict', probability: 0.03, method: 'PUT' },
  { fault: 'reset-before', probability: 0.03 },
  { fault: 'lost-answer', probability: 0.1 },
  { fault: 'truncated-request', probability: 0.03 },
  { fault: 'truncated-answer', probability: 0.05 },
  { fault: 'flipped-request', probability: 0.03 },
  { fault: 'flipped-answer', probability: 0.05 },
  { fault: 'slow-answer', probability: 0.01 },
  { fault: 'hang', probability: 0.003 },
  // Nobody repeats it: a process that hears this is gone.
  { fault: 'access-denied', probability: 0.02 },
];

let server: S3Server;
let proxy: FaultProxy;
beforeAll(async () => {
  server = await S3Server.start();
  proxy = await FaultProxy.start(server.endpoint, seed);
});
afterAll(async () => {
  await proxy.stop();
  await server.stop();
});

const storeAt = (endpoint: string): S3Store =>
  new S3Store(
    { bucket: server.bucket, prefix: 'responses-storm', region: 'us-east-1', forcePathStyle: true, endpoint },
    { attempts: 3, backoffMs: 5, idleTimeoutMs: 500 },
  );

const priceUsd = 0.01;
const questions = keysTo(24);
/** Calls of which nobody knows what came of them are paid as well. */
const affordable = 30;
const caps = [cap(affordable * priceUsd, 'shared')];
const higher = [cap((affordable + questions.length) * priceUsd, 'shared')];

/** What the teacher has been asked, and what anybody has heard of the ledger: both are known for sure. */
class Truth {
  asked = 0;
  gone = 0;
  readonly recorded = new Map<string, string>();

  /** An answer that is told once is told for ever. */
  hear(key: string, body: unknown): void {
    const answer = JSON.stringify(body);
    const before = this.recorded.get(key) ?? answer;
    if (answer !== before) throw new Error(`expected ${before} for ever, found ${answer}`);
    this.recorded.set(key, answer);
  }
}

async function askEverything(ledger: Ledger, truth: Truth): Promise<void> {
  for (const key of questions) {
    const wasKnown = truth.recorded.has(key);
    const intent = await ledger.intend({ key, atMost: fromUsd(priceUsd) });
    if ('recorded' in intent) {
      truth.hear(key, intent.recorded.content.body);
      continue;
    }
    expect(wasKnown).toBe(false);
    truth.asked += 1;
    const answered = await ledger.record(intent.call, responseOf(`answer ${truth.asked}`, priceUsd));
    truth.hear(key, answered.content.body);
  }
  await ledger.compact();
  for (const [key, { content }] of await ledger.find(questions)) truth.hear(key, content.body);
}

const isGone = (error: unknown): boolean =>
  hasCode(error, 'store-unavailable', 'object-body-invalid', 'store-access-denied');

/** One process after another, until one has come to the end or the money is gone. */
async function work(stage: string, truth: Truth): Promise<void> {
  for (let fence = 1; ; fence += 1) {
    const store = storeAt(proxy.endpoint);
    try {
      const ledger = await open(store, fence, { runId: stage, holder: { stage, fence }, caps });
      await askEverything(ledger, truth);
      return await ledger.close();
    } catch (error) {
      if (hasCode(error, 'budget-exhausted')) return;
      if (!isGone(error)) throw error;
      truth.gone += 1;
    } finally {
      await store.close();
    }
  }
}

it('in the storm no answer changes, none is bought again, and no more than the cap is spent', async () => {
  proxy.plan(...storm);
  const truth = new Truth();
  const stages = ['one', 'two'];
  await Promise.all(stages.map((stage) => work(stage, truth)));
  expect(truth.asked).toBeLessThanOrEqual(affordable);
  expect(truth.gone).toBeGreaterThan(0);
  expect(Object.values(proxy.injected).reduce((sum, times) => sum + times, 0)).toBeGreaterThan(50);
  for (const fault of ['lost-answer', 'flipped-answer', 'truncated-answer'] as const)
    expect(proxy.injected[fault]).toBeGreaterThan(0);

  // Past the faults: what was heard is there, every call is accounted for, and a higher cap pays for what is missing alone.
  const direct = storeAt(server.endpoint);
  const successors = await Promise.all(
    stages.map((stage) => open(direct, 1000, { runId: stage, holder: { stage, fence: 1000 }, caps: higher })),
  );
  const reports = await Promise.all(successors.map((successor) => successor.report()));
  const accounted = reports.map(({ answered, possiblyPaidTwice }) => answered.calls + possiblyPaidTwice.calls);
  expect(accounted.reduce((sum, calls) => sum + calls)).toBeGreaterThanOrEqual(truth.asked);
  const [successor] = successors;
  if (successor === undefined) throw new Error('expected a ledger');
  const found = await successor.find(questions);
  for (const [key, { content }] of found) truth.hear(key, content.body);
  expect([...truth.recorded.keys()].toSorted()).toEqual([...found.keys()].toSorted());
  const before = truth.asked;
  await askEverything(successor, truth);
  expect(truth.asked - before).toBe(questions.length - found.size);
  expect(truth.recorded.size).toBe(questions.length);
  await Promise.all(successors.map((each) => each.close()));
  await direct.close();
});

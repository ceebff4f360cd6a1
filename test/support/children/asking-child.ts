/**
 * A program that asks a teacher every question that has no answer yet, moves the answers into shards and prints its report. It
 * kills itself at a named point of the ledger. Its one parameter is an `AskingTask` as JSON.
 */
import { writeSync } from 'node:fs';
import { asNightstillError } from '../../../config/errors.js';
import { fromUsd, type Ledger } from '../../../distillation/responses/index.js';
import { openObjectStore } from '../../../storage/index.js';
import { killedAt } from '../asking-kill.js';
import type { AskingTask } from '../asking-process.js';
import { cap, keysTo, open, responseOf } from '../responses.js';

async function askOne(ledger: Ledger, key: string, { endpoint, usd }: AskingTask): Promise<void> {
  const intent = await ledger.intend({ key, atMost: fromUsd(usd) });
  if ('recorded' in intent) return;
  const answer = await (await fetch(`${endpoint}/${key}`, { method: 'POST' })).text();
  await ledger.record(intent.call, responseOf(answer, usd));
}

const task: AskingTask = JSON.parse(process.argv[2] ?? '');
const store = await openObjectStore(task.url);
const ledger = await open(killedAt(store, task.point), task.fence, { caps: [cap(task.capUsd)] });
try {
  const keys = keysTo(task.questions);
  const found = await ledger.find(keys);
  const missing = keys.filter((key) => !found.has(key)).values();
  const lane = async (): Promise<void> => {
    for (const key of missing) await askOne(ledger, key, task);
  };
  await Promise.all(Array.from({ length: task.lanes }, lane));
  await ledger.compact();
  await ledger.close();
} catch (error) {
  writeSync(1, `${JSON.stringify({ code: asNightstillError(error).code })}\n`);
}
await store.close();

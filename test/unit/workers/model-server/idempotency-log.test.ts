import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { IdempotencyLog } from '../../../../workers/model-server/idempotency-log.js';
import { temporaryDirectory } from '../../../support/temporary.js';

const reply = (text: string) => ({ contentType: 'application/json', body: Buffer.from(text) });
const keyed = (key: string, digest = 'one', modelDigest = 'student') => ({ key, digest, modelDigest });
const never = () => Promise.reject(new Error('computed a second time'));

test('two requests with one key at the same time are computed once, and both get what was recorded', async () => {
  const log = await IdempotencyLog.open(temporaryDirectory(), 64);
  let computed = 0;
  const compute = async () => reply(`answer ${(computed += 1)}`);
  const answers = await Promise.all(Array.from({ length: 5 }, () => log.once(keyed('k'), compute)));
  expect(answers.map(({ reply: { body } }) => body.toString())).toEqual(Array(5).fill('answer 1'));
  expect(answers.map(({ isReplay }) => isReplay)).toEqual([false, true, true, true, true]);
  expect(computed).toBe(1);
});

test('a key that was used for another request is refused, also while the first is at work', async () => {
  const log = await IdempotencyLog.open(temporaryDirectory(), 64);
  const first = log.once(keyed('k'), async () => reply('answer'));
  await expect(log.once(keyed('k', 'two'), never)).rejects.toMatchObject({ fields: { status: 422 } });
  await first;
  await expect(log.once(keyed('k', 'two'), never)).rejects.toMatchObject({ fields: { status: 422 } });
  await expect(log.once(keyed('k'), never)).resolves.toMatchObject({ reply: reply('answer'), isReplay: true });
});

test('what one model replied is not the reply of another', async () => {
  const log = await IdempotencyLog.open(temporaryDirectory(), 64);
  await log.once(keyed('k'), async () => reply('answer'));
  await expect(log.once(keyed('k', 'one', 'champion'), never)).rejects.toMatchObject({
    fields: { status: 422, code: 'idempotency_model_changed' },
  });
});

test('so many requests wait for others with their key and no more; those that have a key of their own wait for nobody', async () => {
  const log = await IdempotencyLog.open(temporaryDirectory(), 2);
  let finish = (): void => undefined;
  const finished = new Promise<void>((resolve) => (finish = resolve));
  const slow = async () => {
    await finished;
    return reply('answer');
  };
  const first = log.once(keyed('k'), slow);
  await log.once(keyed('other'), async () => reply('other'));
  const waiting = [1, 2].map(() => log.once(keyed('k'), never));
  await expect(log.once(keyed('k'), never)).rejects.toMatchObject({ fields: { status: 429, code: 'queue_full' } });
  await log.once(keyed('another'), async () => reply('another'));
  finish();
  for (const one of [first, ...waiting]) await expect(one).resolves.toMatchObject({ reply: reply('answer') });
  await expect(log.once(keyed('k'), never)).resolves.toMatchObject({ isReplay: true });
});

test("a failure is nobody's reply: the next request computes anew", async () => {
  const log = await IdempotencyLog.open(temporaryDirectory(), 64);
  const failed = log.once(keyed('k'), () => Promise.reject(new Error('no slot')));
  const next = log.once(keyed('k'), async () => reply('answer'));
  await expect(failed).rejects.toThrow('no slot');
  await expect(next).resolves.toMatchObject({ isReplay: false });
});

test('a directory has one server at a time, and what a killed one left half written is removed', async () => {
  const directory = temporaryDirectory();
  writeFileSync(join(directory, 'half.partial'), 'ha');
  await IdempotencyLog.open(directory, 64);
  expect(readdirSync(directory)).toEqual([]);
  await expect(IdempotencyLog.open(directory, 64)).rejects.toMatchObject({ code: 'idempotency-log-unusable' });
});

test('bytes that were changed are refused, not served', async () => {
  const directory = temporaryDirectory();
  const log = await IdempotencyLog.open(directory, 64);
  await log.once(keyed('k'), async () => reply('answer'));
  const [name = ''] = readdirSync(directory);
  writeFileSync(join(directory, name), '{"version":1}\nother');
  await expect(log.once(keyed('k'), never)).rejects.toMatchObject({ code: 'record-invalid' });
});

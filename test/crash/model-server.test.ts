/** Replies by idempotency key, and requests at work, when processes of a model server are killed or asked to end. */
import { readdirSync } from 'node:fs';
import { modelDirectory } from '../support/model-directories.js';
import {
  holdComputing,
  killServer,
  metricsOf,
  post,
  runningIn,
  serve,
  type ServedModel,
} from '../support/model-server.js';
import { descendantsOf, until } from '../support/processes.js';
import { temporaryDirectory } from '../support/temporary.js';

const model = 'qwen3-qknorm';
const directory = modelDirectory(model);
/** Without a seed: computed again it would say something else. */
const request = { model, prompt: [40, 500, 77], max_tokens: 12, logprobs: 2 };
const long = { model, prompt: [40, 500, 77], max_tokens: 200, temperature: 0, n: 4 };
const keyed = (key: string) => ({ 'idempotency-key': key });

async function textOf(reply: Promise<Response>): Promise<string> {
  const { status } = await reply;
  const text = await (await reply).text();
  if (status === 200) return text;
  throw new Error(text);
}

const computedBy = async (server: ServedModel): Promise<number | undefined> =>
  (await metricsOf(server)).get('nightstill_generated_tokens_total');

test('a key is computed once, for any number of requests at a time and after any number of kills', async () => {
  const log = temporaryDirectory();
  const words = ['--idempotency-log', log];
  let server = await serve(directory, words);
  const asked = Array.from({ length: 6 }, () => textOf(post(server, 'completions', request, keyed('one'))));
  const [first, ...others] = await Promise.all(asked);
  expect(new Set(others)).toEqual(new Set([first]));
  const computed = await computedBy(server);
  expect(computed).toBeLessThanOrEqual(12);
  const streamed = { ...request, stream: true };
  const stream = await textOf(post(server, 'completions', streamed, keyed('stream')));
  expect(stream).toMatch(/data: \[DONE\]\n\n$/);

  // Killed while a key is at work: that one is computed anew, those that were answered are not.
  holdComputing(server);
  const cut = post(server, 'completions', long, keyed('cut'));
  await runningIn(server, { running: 4, queue: 0 });
  await Promise.all([expect(cut).rejects.toThrow('fetch failed'), killServer(server)]);
  expect(readdirSync(log)).toHaveLength(2);

  server = await serve(directory, words);
  expect(await textOf(post(server, 'completions', request, keyed('one')))).toBe(first);
  expect(await textOf(post(server, 'completions', streamed, keyed('stream')))).toBe(stream);
  expect(await computedBy(server)).toBe(0);
  const other = { ...request, max_tokens: 11 };
  const reused = server.client.completions.create(other, { headers: keyed('one') });
  await expect(reused).rejects.toMatchObject({ status: 422, code: 'idempotency_key_reused' });
  const elsewhere = await post(server, 'chat/completions', request, keyed('one'));
  expect(elsewhere.status).toBe(422);
  const anew = await textOf(post(server, 'completions', long, keyed('cut')));
  await killServer(server);
  server = await serve(directory, words);
  expect(await textOf(post(server, 'completions', long, keyed('cut')))).toBe(anew);
  expect(await computedBy(server)).toBe(0);
  await killServer(server);

  // Another model under the same name, as after a promotion, does not pass for the one that replied.
  server = await serve(modelDirectory('llama3-ropescaled'), [...words, '--name', model]);
  const promoted = server.client.completions.create(request, { headers: keyed('one') });
  await expect(promoted).rejects.toMatchObject({ status: 422, code: 'idempotency_model_changed' });
  await killServer(server);
});

test('a keyed request whose client leaves is finished and recorded, for the client that asks again', async () => {
  const server = await serve(directory, ['--idempotency-log', temporaryDirectory()]);
  const letGo = holdComputing(server);
  const leaving = new AbortController();
  const left = post(server, 'completions', long, keyed('left'), leaving.signal);
  await runningIn(server, { running: 4, queue: 0 });
  leaving.abort();
  await expect(left).rejects.toThrow('abort');
  const again = post(server, 'completions', long, keyed('left'));
  letGo();
  const reply = await again;
  expect(reply.headers.get('idempotent-replayed')).toBe('true');
  expect(await computedBy(server)).toBe(800);
  await killServer(server);
});

test('asked to end, it lets nobody in, finishes what runs, and ends in order', async () => {
  const server = await serve(directory);
  const letGo = holdComputing(server);
  const running = post(server, 'completions', long);
  await runningIn(server, { running: 4, queue: 0 });
  server.signal('SIGTERM');
  await until('nobody to be let in', () =>
    fetch(`${server.url}/health`).then(
      ({ status }) => status === 503,
      () => true,
    ),
  );
  letGo();
  expect(JSON.parse(await textOf(running)).choices).toHaveLength(4);
  await server.exited;
  expect(descendantsOf(server.pid)).toEqual([]);
});

test('asked to end within no time, it ends what runs with an error', async () => {
  const server = await serve(directory, ['--end-within', '0']);
  holdComputing(server);
  const running = post(server, 'completions', long);
  await runningIn(server, { running: 4, queue: 0 });
  server.signal('SIGTERM');
  const reply = await running;
  expect(reply.status).toBe(503);
  expect(await reply.json()).toMatchObject({ error: { code: 'server_shutting_down', type: 'server_error' } });
  await server.exited;
});

test('when the process that computes dies, requests get an error and the server ends with its code', async () => {
  const server = await serve(directory);
  holdComputing(server);
  const running = post(server, 'completions', long);
  await runningIn(server, { running: 4, queue: 0 });
  for (const pid of descendantsOf(server.pid)) process.kill(pid, 'SIGKILL');
  const reply = await running;
  expect(reply.status).toBe(500);
  expect(await reply.json()).toMatchObject({ error: { code: 'child-died' } });
  await server.exited;
  expect(server.output()).toContain('child-died');
});

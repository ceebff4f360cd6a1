/** What a model server lets in, how long it works, and what becomes of requests whose clients leave. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import OpenAI from 'openai';
import { openObjectStore, promote } from '../../storage/index.js';
import { modelDirectory } from '../support/model-directories.js';
import { importModel } from '../support/model-imports.js';
import { holdComputing, metricsOf, post, runningIn, serve, type ServedModel } from '../support/model-server.js';
import { until } from '../support/processes.js';
import { temporaryDirectory } from '../support/temporary.js';

const model = 'qwen3-qknorm';
const directory = modelDirectory(model);
/** As long as the context: it never ends by itself. */
const long = { model, prompt: [40, 500, 77], temperature: 0, max_tokens: 500 };
const short = { ...long, max_tokens: 2 };
const servers: ServedModel[] = [];

async function start(...given: Parameters<typeof serve>): Promise<ServedModel> {
  const server = await serve(...given);
  servers.push(server);
  return server;
}

afterAll(async () => {
  for (const server of servers) server.signal('SIGTERM');
  await Promise.all(servers.map(({ exited }) => exited));
});

test('without the key nothing is told but that the server is there', async () => {
  const file = join(temporaryDirectory(), 'key');
  writeFileSync(file, 'sk-right\n');
  const server = await start(directory, ['--api-key-file', file, '--host', '0.0.0.0'], { apiKey: 'sk-right' });
  const { url, client } = server;
  await expect(client.completions.create(short)).resolves.toMatchObject({ choices: [{ finish_reason: 'length' }] });
  const stranger = new OpenAI({ baseURL: `${url}/v1`, apiKey: 'sk-wrong', maxRetries: 0 });
  await expect(stranger.models.list()).rejects.toBeInstanceOf(OpenAI.AuthenticationError);
  await expect(stranger.completions.create(short)).rejects.toMatchObject({ status: 401, code: 'invalid_api_key' });
  expect((await fetch(`${url}/metrics`)).status).toBe(401);
  expect(await (await fetch(`${url}/health`)).json()).toEqual({ status: 'ok', model });
});

test('a full queue answers 429 and when to come again; who leaves frees the slot for the next', async () => {
  const server = await start(directory, ['--slots', '1', '--queue', '1']);
  const { client } = server;
  const letGo = holdComputing(server);
  const [leaving, waiting] = [new AbortController(), new AbortController()];
  const first = post(server, 'completions', long, {}, leaving.signal);
  await runningIn(server, { running: 1, queue: 0 });
  const second = post(server, 'completions', long, {}, waiting.signal);
  await runningIn(server, { running: 1, queue: 1 });
  const refused = await client.completions.create(short).catch((error: unknown) => error);
  expect(refused).toBeInstanceOf(OpenAI.RateLimitError);
  expect((refused as InstanceType<typeof OpenAI.RateLimitError>).headers.get('retry-after')).toMatch(/^[1-9]\d*$/);
  expect(refused).toMatchObject({ code: 'queue_full', type: 'rate_limit_error' });
  await expect(client.completions.create({ ...short, n: 3 })).rejects.toMatchObject({ code: 'too_many_sequences' });
  expect(await (await fetch(`${server.url}/health`)).json()).toMatchObject({ status: 'ok' });

  leaving.abort();
  waiting.abort();
  await Promise.all([first, second].map((left) => expect(left).rejects.toThrow('abort')));
  await runningIn(server, { running: 0, queue: 0 });
  letGo();
  await expect(client.completions.create(short)).resolves.toMatchObject({ usage: { completion_tokens: 2 } });
  const metrics = await metricsOf(server);
  expect(metrics.get('nightstill_requests_total{route="/v1/completions",status="429"}')).toBe(1);
  expect(metrics.get('nightstill_requests_total{route="/v1/completions",status="499"}')).toBe(2);
});

test('a body beyond the limit is refused, whether its length is said or not, and the connection goes on', async () => {
  const server = await start(directory, ['--max-body', '2000', '--context', '32']);
  const large = { ...short, prompt: 'x'.repeat(500_000) };
  await expect(server.client.completions.create(large)).rejects.toMatchObject({
    status: 413,
    code: 'request_too_large',
  });
  const pieces = new ReadableStream({
    start: (controller) => {
      for (let piece = 0; piece < 50; piece++) controller.enqueue(new TextEncoder().encode('x'.repeat(1000)));
      controller.close();
    },
  });
  const request = { method: 'POST', headers: { 'content-type': 'application/json' }, body: pieces, duplex: 'half' };
  expect((await fetch(`${server.url}/v1/completions`, request as RequestInit)).status).toBe(413);
  const beyond = server.client.completions.create({ ...short, prompt: Array<number>(31).fill(5) });
  await expect(beyond).rejects.toMatchObject({ status: 400, code: 'context_length_exceeded' });
  await server.client.completions.create({ ...short, prompt: Array<number>(30).fill(5) });
});

test('a request beyond its time ends with 504, and a stream with an error as its last event', async () => {
  const server = await start(directory, ['--time-limit', '1', '--slots', '1']);
  // More sequences than can be done in the time.
  const endless = { ...long, n: 60 };
  await expect(server.client.completions.create(endless)).rejects.toMatchObject({
    status: 504,
    code: 'request_timeout',
  });
  const read = async (): Promise<void> => {
    for await (const chunk of await server.client.completions.create({ ...endless, stream: true }))
      expect(chunk.object).toBe('text_completion');
  };
  await expect(read()).rejects.toMatchObject({ code: 'request_timeout' });
  await runningIn(server, { running: 0, queue: 0 });
});

test('a request that waits for another one with its key is computed for nobody when its client leaves', async () => {
  const server = await start(directory, ['--idempotency-log', temporaryDirectory()]);
  const letGo = holdComputing(server);
  // No token of the model: the first one fails, and does not leave its reply to the other.
  const [request, keyed] = [{ ...long, prompt: [40, 500, 2 ** 31 - 1] }, { 'idempotency-key': 'k' }];
  const first = post(server, 'completions', request, keyed);
  await runningIn(server, { running: 1, queue: 0 });
  const leaving = new AbortController();
  const waiting = post(server, 'completions', request, keyed, leaving.signal);
  await until('it to wait', async () => (await metricsOf(server)).get('nightstill_waiting_for_key') === 1);
  leaving.abort();
  await expect(waiting).rejects.toThrow('abort');
  letGo();
  expect((await first).status).toBe(400);
  const left = 'nightstill_requests_total{route="/v1/completions",status="499"}';
  await until('it to have ended', async () => (await metricsOf(server)).get(left) === 1);
  expect((await metricsOf(server)).get('nightstill_prompt_tokens_total')).toBe(3);
});

test('an alias of a store is served under its name', async () => {
  const url = pathToFileURL(join(temporaryDirectory(), 'store')).href;
  const store = await openObjectStore(url, { forWriting: true });
  const move = { name: 'student', alias: 'champion', reason: 'better', operationId: 'first' };
  await promote(store, { ...move, expected: null, model: await importModel(store, directory) });
  await store.close();
  const [named, other] = await Promise.all([
    start('student', ['--store', url], { NIGHTSTILL_CACHE: temporaryDirectory() }),
    start(directory),
  ]);
  const ofAlias = await named.client.completions.create({ ...short, model: 'student/champion' });
  const ofDirectory = await other.client.completions.create(short);
  expect(ofAlias.choices).toEqual(ofDirectory.choices);
  expect(ofAlias).toMatchObject({ model: 'student/champion', system_fingerprint: ofDirectory.system_fingerprint });
  await expect(serve('student/none', ['--store', url])).rejects.toThrow('alias-missing');
});

/** What OpenAI's own client gets from a served model, held against the engine itself. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import OpenAI from 'openai';
import { kernelsRunner } from '../../engine/runners/kernels.js';
import { openModelDirectory } from '../../engine/files/model-directory.js';
import { createScorer, type Scorer } from '../../engine/scoring/scorer.js';
import type { ScoredSequence } from '../../engine/scoring/scored.js';
import { copyModel } from '../support/model-fixtures.js';
import { modelDirectory } from '../support/model-directories.js';
import { post, serve, type ServedModel } from '../support/model-server.js';
import { nightstill, nodeProgram } from '../support/nightstill.js';
import { until } from '../support/processes.js';
import { temporaryDirectory } from '../support/temporary.js';

const model = 'qwen3-qknorm';
const directory = modelDirectory(model);
const messages = [{ role: 'user' as const, content: 'What is 2 and 3?' }];
const greedy = { model, messages, max_tokens: 12, temperature: 0 };
let server: ServedModel;
let scorer: Scorer;

beforeAll(async () => {
  server = await serve(directory);
  const { config, tensors, close } = await openModelDirectory(directory);
  const runner = kernelsRunner({ backend: 'wasm' });
  const weights = tensors.readFloat32;
  scorer = await createScorer({ runner, config, weights, rowLengths: [128], batchTokens: 1, topK: 20 });
  await close();
});

afterAll(async () => {
  server.signal('SIGTERM');
  await server.exited;
});

async function scored(ids: readonly number[]): Promise<ScoredSequence> {
  for await (const sequence of scorer.score([Int32Array.from(ids)])) return sequence;
  throw new Error('expected a score');
}

const idOf = (name: string): number => Number(/^token_id:(\d+)$/.exec(name)?.[1]);

test('a chat is answered, and the same request is answered in the same words', async () => {
  const [first, second] = await Promise.all([1, 2].map(() => server.client.chat.completions.create(greedy)));
  expect(first).toMatchObject({
    object: 'chat.completion',
    model,
    system_fingerprint: expect.stringMatching(/^fp_[0-9a-f]{32}$/),
    choices: [{ index: 0, message: { role: 'assistant' }, finish_reason: 'length', logprobs: null }],
    usage: { completion_tokens: 12 },
  });
  expect(second?.choices).toEqual(first?.choices);
});

test('log-probabilities are those of the scorer, of the answer and of the prompt', async () => {
  const prompt = [40, 500, 77, 3, 12];
  const request = { model, prompt, max_tokens: 10, logprobs: 5, seed: 3, temperature: 1.5 };
  const vllm = { prompt_logprobs: 4, return_tokens_as_token_ids: true };
  const { choices } = await server.client.completions.create({ ...request, ...vllm });
  const [choice] = choices as (OpenAI.CompletionChoice & {
    prompt_logprobs: (Readonly<Record<number, { logprob: number }>> | null)[];
  })[];
  const ids = choice!.logprobs!.tokens!.map(idOf);
  const whole = await scored([...prompt, ...ids]);
  const top = whole.distributions[0]!.topLogProbabilities;
  ids.forEach((id, place) => {
    const position = prompt.length - 1 + place;
    expect(choice!.logprobs!.token_logprobs![place]).toBeCloseTo(whole.tokenLogProbabilities[position]!, 4);
    const alternatives = choice!.logprobs!.top_logprobs![place]!;
    for (let rank = 0; rank < 5; rank++)
      expect(alternatives[`token_id:${whole.topIds[position * 20 + rank]}`]).toBeCloseTo(top[position * 20 + rank]!, 4);
    expect(alternatives).toHaveProperty([`token_id:${id}`]);
  });
  expect(choice!.prompt_logprobs).toHaveLength(prompt.length);
  expect(choice!.prompt_logprobs[0]).toBeNull();
  prompt.slice(1).forEach((id, place) => {
    const entries = choice!.prompt_logprobs[place + 1]!;
    expect(entries[id]!.logprob).toBeCloseTo(whole.tokenLogProbabilities[place]!, 4);
    for (let rank = 1; rank <= 4; rank++) {
      const entry = entries[whole.topIds[place * 20 + rank - 1]!];
      expect(entry).toMatchObject({ rank, decoded_token: expect.any(String) });
      expect(entry!.logprob).toBeCloseTo(top[place * 20 + rank - 1]!, 4);
    }
  });
});

test('the log-probabilities of a chat name each token with its alternatives', async () => {
  const { choices } = await server.client.chat.completions.create({ ...greedy, logprobs: true, top_logprobs: 2 });
  const content = choices[0]!.logprobs!.content!;
  expect(content).toHaveLength(12);
  for (const { token, logprob, top_logprobs } of content) {
    expect(top_logprobs).toHaveLength(2);
    expect(top_logprobs[0]!.token).toBe(token);
    expect(top_logprobs[0]!.logprob).toBeCloseTo(logprob, 4);
    expect(top_logprobs[1]!.logprob).toBeLessThanOrEqual(top_logprobs[0]!.logprob);
  }
});

test('a stream gives the same text and log-probabilities as the whole reply, and its usage at the end when asked', async () => {
  const request = { ...greedy, logprobs: true, n: 2, temperature: 1, seed: 7 };
  const whole = await server.client.chat.completions.create(request);
  const stream_options = { include_usage: true };
  const stream = await server.client.chat.completions.create({ ...request, stream: true, stream_options });
  const texts = ['', ''];
  const logprobs: (number[] | undefined)[] = [[], []];
  const reasons: (string | null)[] = [];
  let usage: OpenAI.CompletionUsage | null | undefined;
  for await (const chunk of stream) {
    for (const { index, delta, logprobs: known, finish_reason } of chunk.choices) {
      texts[index] += delta.content ?? '';
      for (const { logprob } of known?.content ?? []) logprobs[index]?.push(logprob);
      reasons[index] = finish_reason;
    }
    usage = chunk.usage;
  }
  expect(texts).toEqual(whole.choices.map(({ message }) => message.content));
  expect(texts[0]).not.toBe(texts[1]);
  expect(logprobs).toEqual(whole.choices.map(({ logprobs: known }) => known!.content!.map(({ logprob }) => logprob)));
  expect(reasons).toEqual(whole.choices.map(({ finish_reason }) => finish_reason));
  expect(usage).toEqual(whole.usage);
});

test('a stop string ends the answer before it, in whole replies and in streams', async () => {
  const request = { model, prompt: [40, 500, 77], max_tokens: 20, temperature: 0 };
  const text = (await server.client.completions.create(request)).choices[0]!.text;
  const stop = text.slice(4, 7);
  const whole = await server.client.completions.create({ ...request, stop: ['not there', stop] });
  expect(whole.choices[0]).toMatchObject({ text: text.slice(0, text.indexOf(stop)), finish_reason: 'stop' });
  let streamed = '';
  for await (const { choices } of await server.client.completions.create({ ...request, stop, stream: true }))
    streamed += choices[0]?.text ?? '';
  expect(streamed).toBe(whole.choices[0]!.text);
});

test('a request alone and among many others gets the same tokens and log-probabilities to the last bit', async () => {
  const request = { model, prompt: 'import os', max_tokens: 24, logprobs: 3, temperature: 1.2, top_p: 0.95, seed: 11 };
  const alone = await server.client.completions.create(request);
  const others = Array.from({ length: 14 }, (_, index) =>
    server.client.completions.create({
      model,
      prompt: Array.from({ length: 1 + 9 * index }, (__, place) => (place * 7 + index) % 1000),
      max_tokens: 3 + 5 * index,
      n: 1 + (index % 2),
      ...(index % 3 === 0 && { logprobs: 5 }),
    }),
  );
  const among = [0, 1, 2].map(() => server.client.completions.create(request));
  for (const { choices } of await Promise.all(among)) expect(choices).toEqual(alone.choices);
  await Promise.all(others);
});

test('what the server does not do is refused by name, with the error that the client knows', async () => {
  const refused = async (more: object, error: object) => {
    const rejection = { status: 400, error: expect.objectContaining(error) };
    const asked = server.client.chat.completions.create({ ...greedy, ...more });
    await expect(asked).rejects.toBeInstanceOf(OpenAI.BadRequestError);
    await expect(server.client.chat.completions.create({ ...greedy, ...more })).rejects.toMatchObject(rejection);
  };
  await refused({ tools: [] }, { code: 'unsupported_parameter', param: 'tools', type: 'invalid_request_error' });
  await refused({ frequency_penalty: 0.5 }, { code: 'unsupported_value', param: 'frequency_penalty' });
  await refused({ response_format: { type: 'json_object' } }, { code: 'unsupported_value' });
  await refused({ temperature: 3 }, { code: 'invalid_value', param: 'temperature' });
  await refused({ max_tokens: 0 }, { code: 'invalid_value', param: 'max_tokens' });
  await refused({ messages: undefined }, { code: 'missing_required_parameter', param: 'messages' });
  await refused({ messages: [{ role: 'tool', content: 'x' }] }, { code: 'invalid_value', param: 'messages.0.role' });
  await refused({ top_logprobs: 2 }, { code: 'invalid_value', param: 'top_logprobs' });
  await refused({ stream: true, prompt_logprobs: 1 }, { code: 'unsupported_value', param: 'prompt_logprobs' });
  await refused({ max_tokens: 500 }, { code: 'context_length_exceeded' });
  // Those that say what is done anyway are no wishes.
  await server.client.chat.completions.create({
    ...greedy,
    max_tokens: 1,
    frequency_penalty: 0,
    user: 'me',
    stop: null,
  });
});

test('lists at fault are refused as one fault, however long they are', async () => {
  const refused = async (path: string, body: object) => {
    const reply = await post(server, path, { model, ...body });
    const { error } = (await reply.json()) as { error: { message: string } };
    expect({ status: reply.status, error }).toMatchObject({ status: 400, error: { type: 'invalid_request_error' } });
    return error;
  };
  for (const token of [-1, 0.5, 2 ** 32 + 5, null, 'x', [1]]) {
    const error = await refused('completions', { prompt: [1, token] });
    expect(error).toMatchObject({ code: 'invalid_value', param: 'prompt' });
  }
  expect(await refused('completions', { prompt: Array<number>(1_000_000).fill(-1) })).toMatchObject({
    param: 'prompt',
  });
  for (const prompt of [[], [[]], Array<string>(129).fill('x'), 5]) await refused('completions', { prompt });
  const zeros = Array<number>(300_000).fill(0);
  expect(await refused('chat/completions', { messages: zeros })).toMatchObject({ param: 'messages' });
  expect(await refused('chat/completions', { messages: [{ role: 'user', content: zeros }] })).toMatchObject({
    param: 'messages.0.content',
  });
  await refused('chat/completions', { messages, stop: zeros });
  expect(await refused('completions', {})).toMatchObject({ code: 'missing_required_parameter', param: 'prompt' });
});

test('prompts are texts, tokens, or a list of either, and a message is a text or its parts', async () => {
  const choicesOf = async (prompt: string | number[] | string[] | number[][]) =>
    (await server.client.completions.create({ model, prompt, max_tokens: 2, temperature: 0 })).choices;
  expect(await choicesOf('import os')).toHaveLength(1);
  expect(await choicesOf(['import os', 'a'])).toEqual([
    ...(await choicesOf('import os')),
    { ...(await choicesOf('a'))[0], index: 1 },
  ]);
  expect(await choicesOf([[40, 500], [7]])).toEqual([
    ...(await choicesOf([40, 500])),
    { ...(await choicesOf([7]))[0], index: 1 },
  ]);
  const content = [{ type: 'text' as const, text: messages[0]!.content }];
  const inParts = await server.client.chat.completions.create({ ...greedy, messages: [{ role: 'user', content }] });
  expect(inParts.choices).toEqual((await server.client.chat.completions.create(greedy)).choices);
});

test('log-probabilities of prompts are refused when there would be too many of them in a reply', async () => {
  const request = { model, prompt: Array<number>(500).fill(5), max_tokens: 1, prompt_logprobs: 20 };
  const rejection = { status: 400, param: 'prompt_logprobs' };
  await expect(server.client.completions.create({ ...request, n: 24 })).rejects.toMatchObject(rejection);
  await expect(server.client.completions.create({ ...request, n: 2 })).resolves.toMatchObject({
    choices: [0, 1].map(() => ({ prompt_logprobs: expect.any(Array) })),
  });
});

test("the example asks with OpenAI's client and prints the answer as it comes", async () => {
  const question = 'What is 2 and 3?';
  const { status, standardOutput } = await nodeProgram(
    'examples/ask-a-model/ask.js',
    [`${server.url}/v1`, question],
    process.env,
  );
  const { choices } = await server.client.chat.completions.create({ ...greedy, max_tokens: 64 });
  expect({ status, standardOutput }).toEqual({ status: 0, standardOutput: `${choices[0]!.message.content}\n` });
});

test('models and routes that are not there are not found, and the model that is there says how much it reads', async () => {
  const { client } = server;
  const models = await client.models.list();
  expect(models.data).toEqual([expect.objectContaining({ id: model, object: 'model', max_model_len: 512 })]);
  await expect(client.models.retrieve(model)).resolves.toMatchObject({ id: model });
  await expect(client.models.retrieve('a/b')).rejects.toBeInstanceOf(OpenAI.NotFoundError);
  const other = client.chat.completions.create({ ...greedy, model: 'gpt-9' });
  await expect(other).rejects.toMatchObject({ status: 404, code: 'model_not_found' });
  await expect(client.embeddings.create({ model, input: 'x' })).rejects.toMatchObject({ code: 'unknown_url' });
  expect((await fetch(`${server.url}/v1/completions`)).status).toBe(405);
});

test('bodies that are no JSON, or not said to be, are refused', async () => {
  for (const body of ['{', '[]', '"text"', 'null', ''])
    expect((await post(server, 'completions', body)).status).toBe(400);
  expect((await post(server, 'completions', '{}', { 'content-type': 'text/plain' })).status).toBe(415);
  expect((await post(server, 'completions', greedy, { 'idempotency-key': 'k' })).status).toBe(400);
});

test('the metrics count requests and tokens', async () => {
  const text = await (await fetch(`${server.url}/metrics`)).text();
  expect(text).toMatch(/^nightstill_requests_total\{route="\/v1\/chat\/completions",status="200"\} [1-9]/m);
  expect(text).toMatch(/^nightstill_generated_tokens_total [1-9]/m);
  expect(text).toMatch(/^nightstill_queue 0$/m);
  expect(text).toMatch(/^nightstill_request_seconds_bucket\{route="\/v1\/completions",le="\+Inf"\} [1-9]/m);
});

test('an address that is taken, and a host that others reach without a key, end the command with a code', async () => {
  const port = new URL(server.url).port;
  const words = ['serve', directory, '--runner', 'wasm', '--port', port];
  const [taken, open, missing] = await Promise.all([
    nightstill(words, process.env),
    nightstill([...words, '--host', '0.0.0.0'], process.env),
    nightstill(['serve', 'student', '--store', `file://${join(directory, 'no-store')}`], process.env),
  ]);
  expect(taken).toMatchObject({ status: 2, standardError: expect.stringContaining('address-unavailable') });
  expect(open).toMatchObject({ status: 2, standardError: expect.stringContaining('serve-setting-invalid') });
  expect(missing.status).toBe(2);
});

test('what a model asks of its generation and does not get is said at the start', async () => {
  const copy = await copyModel(model, temporaryDirectory());
  await writeFile(join(copy, 'generation_config.json'), '{"repetition_penalty": 1.1, "top_p": 0.9}');
  const penalised = await serve(copy);
  const told = `generation_config.json of ${model}: without effect here: repetition_penalty 1.1`;
  await until('the notice', () => penalised.output().includes(told));
  penalised.signal('SIGTERM');
  await penalised.exited;
  expect(server.output()).not.toContain('without effect');
});

/** A model server on TensorFlow says what one on wasm says, and the same beside others as alone. */
import { modelDirectory } from '../../support/model-directories.js';
import { serve, type ServedModel } from '../../support/model-server.js';

const model = 'qwen2-gqa-tied';
const directory = modelDirectory(model);
const request = { model, prompt: [40, 500, 77, 3, 12], max_tokens: 12, temperature: 0, logprobs: 3 };
const vllm = { prompt_logprobs: 2 };
let servers: readonly ServedModel[];

beforeAll(async () => {
  servers = await Promise.all(
    ['tensorflow', 'wasm'].map((runner) => serve(directory, ['--runner', runner, '--threads', '2'])),
  );
});

afterAll(async () => {
  for (const server of servers) server.signal('SIGTERM');
  await Promise.all(servers.map(({ exited }) => exited));
});

test('both runners give the same tokens and, but for rounding, log-probabilities of answer and prompt', async () => {
  const [native, wasm] = await Promise.all(
    servers.map(async ({ client }) => {
      const reply = await client.completions.create({ ...request, ...vllm });
      const { logprobs, text, prompt_logprobs } = reply.choices[0] as (typeof reply.choices)[0] & {
        prompt_logprobs: (Record<string, { logprob: number }> | null)[];
      };
      const ofPrompt = prompt_logprobs.slice(1).map((entries, place) => entries![request.prompt[place + 1]!]!.logprob);
      return { fingerprint: reply.system_fingerprint, text, known: [...logprobs!.token_logprobs!, ...ofPrompt] };
    }),
  );
  expect(native!.text).toBe(wasm!.text);
  expect(native!.fingerprint).not.toBe(wasm!.fingerprint);
  expect(native!.known).toHaveLength(12 + 4);
  for (const [place, logprob] of native!.known.entries()) expect(logprob).toBeCloseTo(wasm!.known[place]!, 4);
});

test('TensorFlow gives a request the same bits alone and among others', async () => {
  const { client } = servers[0]!;
  const drawn = { ...request, temperature: 1, seed: 5 };
  const alone = await client.completions.create(drawn);
  const others = Array.from({ length: 9 }, (_, index) =>
    client.completions.create({ model, prompt: Array<number>(1 + 11 * index).fill(index), max_tokens: 4 + index }),
  );
  for (const { choices } of await Promise.all([drawn, drawn, drawn].map((one) => client.completions.create(one))))
    expect(choices).toEqual(alone.choices);
  await Promise.all(others);
});

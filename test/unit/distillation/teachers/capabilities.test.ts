import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { teacherEndpointSchema } from '../../../../config/teacher-schema.js';
import { probeTeacher } from '../../../../distillation/teachers/capabilities.js';
import { openConnection } from '../../../../distillation/teachers/connection.js';

/** Answers as a test says, and keeps what it was asked. */
type Answers = (path: string, body: { readonly prompt_logprobs?: number }) => readonly [status: number, body: object];

let server: Server;
let asked: string[];
afterEach(() => new Promise((resolve) => server.close(resolve)));

async function probe(answers: Answers, promptLogprobs?: number) {
  asked = [];
  server = createServer((request, response) => {
    void bodyOf(request).then((text) => {
      const path = request.url ?? '';
      asked.push(path);
      const [status, body] = answers(path, JSON.parse(text || '{}') as object);
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const teacher = teacherEndpointSchema.parse({
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    model: 'large',
    revision: '1',
    terms: { licence: 'MIT', allowsTraining: 'yes' },
  });
  const needed = promptLogprobs === undefined ? {} : { promptLogprobs };
  return probeTeacher(openConnection(teacher, 'key'), teacher, needed, new AbortController().signal);
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

const listed: readonly [number, object] = [200, { object: 'list', data: [{ id: 'large' }, { id: 'small' }] }];
const scored = (choice: object): readonly [number, object] => [200, { choices: [{ text: 'a', ...choice }] }];
const capped =
  (cap: number): Answers =>
  (path, { prompt_logprobs = 0 }) =>
    path === '/v1/models'
      ? listed
      : prompt_logprobs > cap
        ? [400, { error: { code: 'invalid_value' } }]
        : scored({ prompt_logprobs: [null] });

it('what an endpoint lists is asked without paying, and nothing else is', async () => {
  await expect(probe(() => listed)).resolves.toEqual({ models: ['large', 'small'] });
  expect(asked).toEqual(['/v1/models']);
});

it.each([403, 404, 405, 501])(
  'an endpoint that keeps its list to itself (%s) may be a teacher all the same',
  (status) => expect(probe(() => [status, {}])).resolves.toEqual({ models: null }),
);

it('a key that is refused is told before anything is asked', () =>
  expect(probe(() => [401, {}])).rejects.toMatchObject({ code: 'teacher-refused-key' }));

it('log-probabilities of prompts are asked for once, as many as are needed', async () => {
  await expect(probe(capped(100), 50)).resolves.toMatchObject({ promptLogprobs: 50 });
  expect(asked).toEqual(['/v1/models', '/v1/completions']);
});

it('an endpoint that gives fewer than are needed is refused, and how many it gives is told', () =>
  expect(probe(capped(20), 50)).rejects.toMatchObject({
    code: 'teacher-incapable',
    message: expect.stringContaining('found one that gives 20') as string,
    details: { promptLogprobs: 20 },
  }));

it('an endpoint that ignores the wish is refused as one that gives none', () =>
  expect(probe((path) => (path === '/v1/models' ? listed : scored({})), 5)).rejects.toMatchObject({
    code: 'teacher-incapable',
    message: expect.stringContaining('found one that gives none') as string,
  }));

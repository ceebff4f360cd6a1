import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { teacherEndpointSchema, type TeacherEndpoint } from '../../../../config/teacher-schema.js';
import { openConnection } from '../../../../distillation/teachers/connection.js';
import { listModels } from '../../../../distillation/teachers/listed-models.js';
import { openProbedClient } from '../../../../distillation/teachers/probed-client.js';

let server: Server;
let asked: string[];
afterEach(() => new Promise((resolve) => server.close(resolve)));

type Say = (response: ServerResponse) => void;

/** Of an endpoint that answers so. */
async function look(say: Say): Promise<readonly string[] | null> {
  const connection = openConnection(await teacherThat(say), 'key');
  return listModels(connection, new AbortController().signal);
}

async function teacherThat(say: Say, given: object = {}): Promise<TeacherEndpoint> {
  asked = [];
  server = createServer((request, response) => {
    asked.push(request.url ?? '');
    say(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return teacherEndpointSchema.parse({
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    model: 'large',
    revision: '1',
    terms: { licence: 'MIT', allowsTraining: 'yes' },
    limits: { timeout: '2s' },
    ...given,
  });
}

const status =
  (code: number, body: unknown = {}): Say =>
  (response) =>
    void response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body));
const text =
  (type: string, body: string): Say =>
  (response) =>
    void response.writeHead(200, { 'content-type': type }).end(body);

const list = { object: 'list', data: [{ id: 'large' }, { id: 'small' }] };

it('what an endpoint lists is asked without paying, and nothing else is', async () => {
  await expect(look(status(200, list))).resolves.toEqual(['large', 'small']);
  expect(asked).toEqual(['/v1/models']);
});

it.each<[string, Say]>([
  ...[400, 402, 403, 404, 405, 406, 410, 413, 422, 429, 500, 501, 503].map((code): [string, Say] => [
    `status ${code}`,
    status(code, { error: { message: 'no' } }),
  ]),
  ['HTML', text('text/html', '<html><body>Welcome</body></html>')],
  ['nothing', text('application/json', '')],
  ['another JSON', status(200, ['large'])],
  ['an end without a word', (response) => void response.destroy()],
])('an endpoint that shows no list, but %s, may be a teacher all the same', (_, say) =>
  expect(look(say)).resolves.toBeNull(),
);

it('a key that is refused is told before anything is asked', () =>
  expect(look(status(401))).rejects.toMatchObject({ code: 'teacher-refused-key' }));

it('an endpoint where nobody listens is told before anything is asked', async () => {
  const teacher = await teacherThat(status(200, list));
  await new Promise((resolve) => server.close(resolve));
  const looking = listModels(openConnection(teacher, 'key'), new AbortController().signal);
  await expect(looking).rejects.toMatchObject({ code: 'teacher-unavailable' });
});

const completion = { model: 'large', choices: [{ finish_reason: 'stop', message: { content: 'yes' } }] };

/** A model list first, then an answer. */
async function askOf(models: readonly string[], given: object): Promise<string> {
  const say: Say = (response) =>
    status(200, asked.at(-1) === '/v1/models' ? { data: models.map((id) => ({ id })) } : completion)(response);
  const client = openProbedClient(await teacherThat(say, given), 'key');
  return (await client.ask({ model: 'any' }, 'key', new AbortController().signal)).reply.text;
}

it('a model that is not listed is no teacher, unless the list names models otherwise', async () => {
  await expect(askOf(['medium', 'small'], {})).rejects.toMatchObject({ failure: { code: 'teacher-missing' } });
  await new Promise((resolve) => server.close(resolve));
  await expect(askOf(['models/large', 'models/small'], {})).resolves.toBe('yes');
  await new Promise((resolve) => server.close(resolve));
  // A deployment has a name of its own, and answers under that of its model.
  await expect(askOf(['large', 'small'], { model: 'ours', servedAs: 'large' })).resolves.toBe('yes');
});

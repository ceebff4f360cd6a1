import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { teacherEndpointSchema } from '../../../../config/teacher-schema.js';
import { openConnection } from '../../../../distillation/teachers/connection.js';
import { listModels } from '../../../../distillation/teachers/listed-models.js';

let server: Server;
let asked: string[];
afterEach(() => new Promise((resolve) => server.close(resolve)));

/** Of an endpoint that answers so. */
async function look(status: number, body: object): Promise<readonly string[] | null> {
  asked = [];
  server = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const teacher = teacherEndpointSchema.parse({
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    model: 'large',
    revision: '1',
    terms: { licence: 'MIT', allowsTraining: 'yes' },
  });
  return listModels(openConnection(teacher, 'key'), new AbortController().signal);
}

const list = { object: 'list', data: [{ id: 'large' }, { id: 'small' }] };

it('what an endpoint lists is asked without paying, and nothing else is', async () => {
  await expect(look(200, list)).resolves.toEqual(['large', 'small']);
  expect(asked).toEqual(['/v1/models']);
});

it.each([403, 404, 405, 501])(
  'an endpoint that keeps its list to itself (%s) may be a teacher all the same',
  (status) => expect(look(status, {})).resolves.toBeNull(),
);

it('a key that is refused is told before anything is asked', () =>
  expect(look(401, {})).rejects.toMatchObject({ code: 'teacher-refused-key' }));

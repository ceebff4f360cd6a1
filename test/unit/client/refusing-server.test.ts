/** A server that speaks gRPC and refuses every call, as one in a cloud does whose key has expired. */
import { createServer, type Http2Server, type ServerHttp2Session } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { Client, Connection } from '@temporalio/client';
import { openClient } from '../../../cli/connect.js';
import { describeSchedule, listRuns, listSchedules, RunHandle, runLog, start, status } from '../../../client/index.js';

let server: Http2Server;
const sessions = new Set<ServerHttp2Session>();
let connection: Connection;
let address: string;

beforeAll(async () => {
  server = createServer().on('stream', (stream) => {
    const refusal = { 'grpc-status': '16', 'grpc-message': 'the key has expired' };
    stream.respond({ ':status': 200, 'content-type': 'application/grpc', ...refusal }, { endStream: true });
  });
  server.on('session', (session) => sessions.add(session));
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  connection = Connection.lazy({ address });
});

afterAll(async () => {
  await connection.close();
  for (const session of sessions) session.destroy();
  server.close();
});

it('a client whose key the server refuses is told so with a code, whatever it asks', async () => {
  const client = new Client({ connection });
  const run = new RunHandle(client, 'run-1');
  for (const ask of [
    () => run.result(),
    () => run.state(),
    () => run.cancel(),
    () => status(run),
    () => runLog(run),
    () => start({ client, file: {} }),
    () => listRuns({ client }).next(),
    () => listSchedules(client),
    () => describeSchedule({ client, name: 'support' }),
    () => openClient({ connectionOptions: { address }, namespace: 'default' }, undefined),
  ])
    await expect(ask()).rejects.toMatchObject({
      code: 'temporal-refused',
      message: expect.stringContaining('the key has expired'),
    });
});

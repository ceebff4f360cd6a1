/**
 * A small web service that has models distilled: it starts runs, says how they stand, and streams what happens to them. All it
 * needs of nightstill is `nightstill/client`; the work is done by workers elsewhere.
 *
 *   node dist/examples/trigger-from-an-app/server.js <store URL> [port]
 *
 *   POST /distillations              {"id": "support-1126", "dataset": "s3://data/support.jsonl"}
 *   GET  /distillations/:id          how it stands
 *   GET  /distillations/:id/events   what happens, as server-sent events, until it is over
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { json } from 'node:stream/consumers';
import { Client, Connection } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { start, status, watch } from '../../client/index.js';
import { asHttpError, HttpError } from './http-error.js';
import { planFor } from './plan.js';

const [storeUrl = '', port = '8080'] = process.argv.slice(2);

const { connectionOptions, namespace = 'default' } = loadClientConnectConfig();
const client = new Client({ connection: await Connection.connect(connectionOptions), namespace });

const server = createServer((request, response) => {
  answer(request, response).catch((error: unknown) => {
    const failure = asHttpError(error);
    if (response.headersSent) response.end();
    else send(response, failure.status, failure.body);
  });
});

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const [, place, id, events] = new URL(request.url ?? '/', 'http://localhost').pathname.split('/');
  if (place !== 'distillations') throw new HttpError(404, 'expected /distillations');
  if (request.method === 'POST' && id === undefined) return startRun(request, response);
  if (request.method !== 'GET' || id === undefined) throw new HttpError(405, 'expected POST, or GET with an id');
  const run = { client, runId: decodeURIComponent(id) };
  if (events === 'events') return streamEvents(run, response);
  send(response, 200, await status({ ...run, store: storeUrl }));
}

/** The same id with the same dataset joins the run that is there: a caller that got no answer asks again without fear. */
async function startRun(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { id, dataset } = ((await json(request)) ?? {}) as { id?: unknown; dataset?: unknown };
  if (typeof id !== 'string' || typeof dataset !== 'string') throw new HttpError(400, 'expected {"id", "dataset"}');
  const { runId } = await start({ client, runId: id, file: planFor({ dataset, store: storeUrl }) });
  send(response, 202, { id: runId, events: `/distillations/${encodeURIComponent(runId)}/events` });
}

/** A browser reads it with `new EventSource(url)`. Who goes away ends the watching, and not the run. */
async function streamEvents(run: { client: Client; runId: string }, response: ServerResponse): Promise<void> {
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  for await (const event of watch(run, { signal: gone.signal })) {
    if (!response.headersSent) response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
  }
  response.end();
}

function send(response: ServerResponse, statusCode: number, body: object): void {
  response.writeHead(statusCode, { 'content-type': 'application/json' });
  response.end(`${JSON.stringify(body)}\n`);
}

server.listen(Number(port), '127.0.0.1', () => {
  const address = server.address();
  console.log(`listening on port ${typeof address === 'object' ? address?.port : port}`);
});

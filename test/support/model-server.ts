/** A model server as users start it: the compiled command in a process of its own, and OpenAI's own client before it. */
import OpenAI from 'openai';
import { descendantsOf, isAlive, startProgram, until, type RunningProcess } from './processes.js';

export interface ServedModel extends RunningProcess {
  /** Without `/v1`. */
  readonly url: string;
  readonly client: OpenAI;
}

/** On any free port, and computed by wasm, unless the words say otherwise. */
export async function serve(
  model: string,
  words: readonly string[] = [],
  { apiKey = 'none', ...variables }: Readonly<Record<string, string>> = {},
): Promise<ServedModel> {
  const runner = words.includes('--runner') ? [] : ['--runner', 'wasm'];
  const port = words.includes('--port') ? [] : ['--port', '0'];
  const commandLine = ['serve', model, ...port, ...runner, ...words];
  const server = await startProgram('cli/main.js', commandLine, variables, '/v1 (');
  const [, url = ''] = /at (http:\/\/\S+)\/v1 \(/.exec(server.output()) ?? [];
  return { ...server, url, client: new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0 }) };
}

/**
 * Stops the process that computes, so that what is asked stays at work while a test acts: a small model is done before a loaded
 * machine comes to look. The server goes on. @returns what lets it go on too
 */
export function holdComputing({ pid }: ServedModel): () => void {
  const computing = descendantsOf(pid);
  for (const child of computing) process.kill(child, 'SIGSTOP');
  return () => computing.forEach((child) => process.kill(child, 'SIGCONT'));
}

/** A request as the wire has it. */
export const post = (
  { url }: ServedModel,
  path: string,
  body: unknown,
  headers: Readonly<Record<string, string>> = {},
  signal?: AbortSignal,
): Promise<Response> =>
  fetch(`${url}/v1/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    ...(signal && { signal }),
  });

/** Its metrics by name and labels. */
export async function metricsOf({ url }: ServedModel): Promise<ReadonlyMap<string, number>> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]));
}

/** Waits until so many sequences run and wait. */
export const runningIn = (server: ServedModel, { running, queue }: { running: number; queue: number }) =>
  until(`${running} sequences that run and ${queue} that wait`, async () => {
    const metrics = await metricsOf(server);
    return metrics.get('nightstill_running') === running && metrics.get('nightstill_queue') === queue;
  });

/** As a power cut would. */
export async function killServer(server: ServedModel): Promise<void> {
  const processes = descendantsOf(server.pid);
  server.signal('SIGKILL');
  await server.exited;
  // Those that are held must go on to see it.
  for (const child of processes.filter(isAlive)) process.kill(child, 'SIGCONT');
  await until('the process of the model to be gone', () => processes.every((child) => !isAlive(child)));
}

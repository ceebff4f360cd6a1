/**
 * A teacher behind a real HTTP server that speaks the chat API of OpenAI, knows no request again, and counts what it is asked. Its
 * answer depends on the question alone. It misbehaves as a test says: the next requests, or those that a test picks.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface Asked {
  /** The Idempotency-Key. */
  readonly key: string;
  readonly body: ChatBody;
  readonly headers: IncomingMessage['headers'];
  readonly atMs: number;
}

interface ChatBody {
  readonly model: string;
  readonly messages: readonly { readonly role: string; readonly content: string }[];
  readonly seed: number;
  readonly max_tokens: number;
}

/** Answers in place of the teacher; what it does not send is sent as it should be. */
export type Fault = (response: ServerResponse, completion: Completion) => void;

export type Completion = ReturnType<typeof completionOf>;

const promptTokens = 10;
const completionTokens = 5;

const completionOf = ({ model, messages }: ChatBody, answer: string) => ({
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 0,
  model,
  system_fingerprint: 'fp_1',
  choices: [
    {
      index: 0,
      message: { role: 'assistant', content: answer as string | null, refusal: null as string | null },
      finish_reason: 'stop',
    },
  ],
  usage: {
    prompt_tokens: promptTokens * messages.length,
    completion_tokens: completionTokens,
    total_tokens: promptTokens * messages.length + completionTokens,
  },
});

const send = (response: ServerResponse, status: number, type: string, text: string, headers = {}): void => {
  response.writeHead(status, { 'content-type': type, ...headers }).end(text);
};

const reply = (response: ServerResponse, completion: object): void =>
  send(response, 200, 'application/json', JSON.stringify(completion));

const ending =
  (finishReason: string, message: object = {}): Fault =>
  (response, completion) => {
    const [choice] = completion.choices;
    const choices = [{ ...choice, finish_reason: finishReason, message: { ...choice?.message, ...message } }];
    reply(response, { ...completion, choices });
  };

/** Each in place of a reply. */
const plainFaults = {
  html: (response) => send(response, 200, 'text/html; note=secret', '<html><body>Welcome</body></html>'),
  empty: (response) => send(response, 200, 'application/json', ''),
  redirect: (response) => send(response, 307, 'text/plain', '', { location: 'http://127.0.0.1:9/v1/chat/completions' }),
  /** Half of a reply that said how long it would be, and then nobody. */
  halfReply: (response, completion) => {
    const text = JSON.stringify(completion);
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': text.length });
    response.write(text.slice(0, text.length / 2), () => response.destroy());
  },
  /** An error that goes on and on. */
  endlessError: (response) => {
    response.writeHead(500, { 'content-type': 'text/plain' });
    const more = (): void => void (response.destroyed || response.write('secret'.repeat(100_000), more));
    more();
  },
  /** The words of a status may be any. */
  inOwnWords: (response, completion) => {
    response.statusMessage = Buffer.from('正常').toString('latin1');
    reply(response, completion);
  },
  /** JSON, and no completion. */
  otherJson: (response) => reply(response, { ok: true }),
  hangUp: (response) => void response.destroy(),
  /** Takes the request, and never answers. */
  silent: () => undefined,
  refusal: ending('stop', { content: null, refusal: 'I will not.' }),
  filtered: ending('content_filter', { content: '' }),
  cutOff: ending('length'),
  brokenOff: ending('error'),
  noText: ending('stop', { content: '' }),
  uncounted: (response, completion) => reply(response, { ...completion, usage: null }),
  miscounted: (response, completion) => reply(response, { ...completion, usage: { total_tokens: 15 } }),
} satisfies Record<string, Fault>;

export const faults = {
  ...plainFaults,
  status:
    (status: number, { code = null as string | null, param = null as string | null, headers = {} } = {}): Fault =>
    (response) =>
      send(response, status, 'application/json', JSON.stringify({ error: { message: 'no', code, param } }), headers),
  /** Refuses, in these words. */
  saying:
    (status: number, error: object): Fault =>
    (response) =>
      send(response, status, 'application/json', JSON.stringify(error)),
  /** As it should, later. */
  after:
    (isOver: () => Promise<void>): Fault =>
    (response, completion) =>
      void isOver().then(() => reply(response, completion)),
  servedBy:
    (model: string): Fault =>
    (response, completion) =>
      reply(response, { ...completion, model }),
};

export class CountingTeacher {
  readonly asked: Asked[] = [];
  /** The most requests that were under way at once. */
  mostAtOnce = 0;
  /** How many replies it has worked out, whether or not anybody heard them. */
  answered = 0;
  /** How long it takes over an answer. */
  delayMs = 0;
  answer: (question: string, sample: number) => string = (question) => `The answer to ${question}`;
  /** Picks requests to misbehave at, before the queue of faults is looked at. */
  faultFor: (asked: Asked) => Fault | undefined = () => undefined;
  /** What it says at `/completions`, where it is asked how probable the tokens of a prompt are. Absent: nothing is there. */
  score: ((body: object) => object) | undefined;
  /** The models that it lists; absent: it keeps its list to itself. */
  models: readonly string[] | undefined;
  #next: Fault[] = [];
  #underWay = 0;

  private constructor(private readonly server: Server) {}

  /** @param port any free one, unless it is given */
  static async start(port = 0): Promise<CountingTeacher> {
    const server = createServer((request, response) => void teacher.#serve(request, response));
    const teacher = new CountingTeacher(server);
    await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
    return teacher;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/v1`;
  }

  /** The next requests meet these, one each. */
  next(...faultsInOrder: readonly Fault[]): void {
    this.#next.push(...faultsInOrder);
  }

  /** How often each key was asked. */
  get timesAsked(): ReadonlyMap<string, number> {
    const times = new Map<string, number>();
    for (const { key } of this.asked) times.set(key, (times.get(key) ?? 0) + 1);
    return times;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.mostAtOnce = Math.max(this.mostAtOnce, (this.#underWay += 1));
    response.once('close', () => (this.#underWay -= 1));
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    } catch {
      return; // whoever asked is gone
    }
    if (this.models && request.url === '/v1/models')
      return reply(response, { object: 'list', data: this.models.map((id) => ({ id, object: 'model' })) });
    const score = request.url === '/v1/completions' ? this.score : undefined;
    if (!score && request.url !== '/v1/chat/completions') return send(response, 404, 'text/plain', 'nothing here');
    const body = JSON.parse(Buffer.concat(chunks).toString()) as ChatBody;
    const { headers } = request;
    const asked: Asked = { key: String(headers['idempotency-key']), body, headers, atMs: performance.now() };
    this.asked.push(asked);
    const fault = this.faultFor(asked) ?? this.#next.shift();
    await sleep(this.delayMs);
    this.answered += 1;
    // Faults of the wire do not look into it.
    const completion = score
      ? (score(body) as Completion)
      : completionOf(body, this.answer(body.messages.at(-1)?.content ?? '', body.seed));
    (fault ?? reply)(response, completion);
  }
}

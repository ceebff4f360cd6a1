import { teacherEndpointSchema } from '../../../../config/teacher-schema.js';
import { chatWire } from '../../../../distillation/teachers/chat-reply.js';
import { openClient } from '../../../../distillation/teachers/client.js';
import { FailedCall } from '../../../../distillation/teachers/failed-call.js';
import { CountingTeacher, faults, type Fault } from '../../../support/counting-teacher.js';

let server: CountingTeacher;
beforeEach(async () => (server = await CountingTeacher.start()));
afterEach(() => server.stop());

const teacherAt = (endpoint: string, limits: object = {}) =>
  teacherEndpointSchema.parse({
    endpoint,
    model: 'gpt-4o',
    revision: '1',
    terms: { licence: 'MIT', allowsTraining: 'yes' },
    limits,
  });

const request = { model: 'gpt-4o', messages: [{ role: 'user', content: 'a secret question' }], max_tokens: 5, seed: 0 };
const forever = new AbortController().signal;

const askAt = (endpoint: string, limits?: object) =>
  openClient(teacherAt(endpoint, limits), 'canary-key', chatWire).ask(request, 'key-1', forever);

async function failureOf(call: Promise<unknown>): Promise<FailedCall> {
  const error: unknown = await call.catch((thrown: unknown) => thrown);
  if (error instanceof FailedCall) return error;
  throw new Error(`expected a failed call, found ${String(error)}`);
}

describe('a request to a teacher', () => {
  it('carries its key, and nothing that the environment holds for somebody else', async () => {
    process.env['OPENAI_ORG_ID'] = 'canary-organization';
    process.env['OPENAI_CUSTOM_HEADERS'] = 'X-Canary: canary-header';
    try {
      const { reply } = await askAt(server.endpoint);
      expect(reply).toMatchObject({
        outcome: 'answered',
        text: 'The answer to a secret question',
        finishReason: 'stop',
      });
    } finally {
      delete process.env['OPENAI_ORG_ID'];
      delete process.env['OPENAI_CUSTOM_HEADERS'];
    }
    const [asked] = server.asked;
    expect(asked).toMatchObject({ key: 'key-1', body: request, headers: { authorization: 'Bearer canary-key' } });
    expect(JSON.stringify(asked?.headers)).not.toMatch(/canary-(organization|header)/);
  });

  it('without a key bears none', async () => {
    await openClient(teacherAt(server.endpoint), undefined, chatWire).ask(request, 'key-1', forever);
    expect(server.asked[0]?.headers.authorization).toBeUndefined();
  });

  type Meaning = [string, Fault, Partial<FailedCall> & { code: string }];
  /** With status 200. */
  const gatewayErrors: Meaning[] = [
    [
      'a gateway that is asked too often',
      { code: 429 },
      { code: 'teacher-unavailable', maybePaid: false, isAway: true },
    ],
    ['a gateway with nobody behind it', { code: 502 }, { code: 'teacher-unavailable', maybePaid: true, isAway: false }],
    ['a gateway that refuses the request', { code: 400 }, { code: 'teacher-request-rejected', tries: 1 }],
    [
      'a moderator before the model',
      { code: 403, metadata: { reasons: ['violence'], flagged_input: 'a secret question' } },
      { code: 'teacher-request-rejected', tries: 1 },
    ],
    ['a gateway without credit', { code: 402 }, { code: 'teacher-refused-key', tries: 1, maybePaid: false }],
    ['an error of no known number', { code: 'overloaded' }, { code: 'teacher-reply-invalid', tries: 3 }],
  ].map(([name, error, expected]) => [name, faults.saying(200, { error }), expected] as Meaning);
  const meanings: Meaning[] = [
    [
      'an option that no request may have',
      faults.status(400, { code: 'unsupported_parameter', param: 'max_tokens' }),
      { code: 'teacher-incapable', tries: 1, maybePaid: false },
    ],
    ['401', faults.status(401), { code: 'teacher-refused-key', tries: 1, maybePaid: false }],
    ['403', faults.status(403), { code: 'teacher-refused-key', tries: 1, maybePaid: false }],
    [
      '429 for lack of credit',
      faults.status(429, { code: 'insufficient_quota' }),
      { code: 'teacher-refused-key', tries: 1 },
    ],
    ['402', faults.status(402), { code: 'teacher-refused-key', tries: 1, maybePaid: false }],
    ...[404, 405, 410, 415].map((status): Meaning => [
      String(status),
      faults.status(status),
      { code: 'teacher-missing', tries: 1, maybePaid: false },
    ]),
    ...[400, 413, 422].map((status): Meaning => [
      String(status),
      faults.status(status),
      { code: 'teacher-request-rejected', tries: 1, maybePaid: false },
    ]),
    [
      '429 with a wait',
      faults.status(429, { headers: { 'retry-after': '7' } }),
      { code: 'teacher-unavailable', tries: Infinity, maybePaid: false, isAway: true, waitMs: 7000 },
    ],
    ['500', faults.status(500), { code: 'teacher-unavailable', tries: Infinity, maybePaid: true, isAway: false }],
    [
      'a status that there is not',
      faults.status(999),
      { code: 'teacher-unavailable', tries: Infinity, maybePaid: true },
    ],
    ['503', faults.status(503), { code: 'teacher-unavailable', tries: Infinity, maybePaid: false, isAway: true }],
    [
      'a server that keeps no log of keys',
      faults.status(400, { code: 'idempotency_unavailable' }),
      { code: 'teacher-incapable', tries: 1, maybePaid: false },
    ],
    ...gatewayErrors,
    ['HTML', faults.html, { code: 'teacher-reply-invalid', tries: 3, maybePaid: true }],
    ['nothing', faults.empty, { code: 'teacher-reply-invalid', tries: 3 }],
    ['JSON that is no completion', faults.otherJson, { code: 'teacher-reply-invalid', tries: 3 }],
    ['half a reply', faults.halfReply, { code: 'teacher-unavailable', tries: Infinity, maybePaid: true }],
    ['a connection that is closed', faults.hangUp, { code: 'teacher-unavailable', tries: Infinity, maybePaid: true }],
    ['a redirect', faults.redirect, { code: 'teacher-unavailable', tries: Infinity }],
    [
      'an answer that broke off',
      faults.brokenOff,
      { code: 'teacher-unavailable', tries: Infinity, maybePaid: true, isAway: false },
    ],
    ['another model', faults.servedBy('gpt-4o-mini'), { code: 'teacher-model-mismatch', tries: 1, maybePaid: true }],
  ];

  it.each(meanings)(
    'that meets %s fails by its name, and repeats nothing that was said',
    async (_, fault, expected) => {
      server.next(fault);
      const failed = await failureOf(askAt(server.endpoint));
      const { tries, maybePaid, isAway, waitMs, failure } = failed;
      expect({ tries, maybePaid, isAway, waitMs, code: failure.code }).toMatchObject(expected);
      expect(failure.message).toMatch(/^expected .+, found .+/);
      expect(`${failure.message}${failure.remedy}`).not.toMatch(/canary|secret/);
      expect(server.asked).toHaveLength(1);
    },
  );

  const unsupported = (param: string, field: string, code: string | null = 'unsupported_parameter') => ({
    error: { message: `Unsupported parameter: '${field}' is not supported with this model.`, param, code },
  });
  const forbidden = (field: string) => ({
    detail: [{ type: 'extra_forbidden', loc: ['body', field], msg: 'Extra inputs are not permitted', input: 0 }],
  });
  const onlyOne = "Unsupported value: 'temperature' does not support 0 with this model. Only the default (1) value is";

  it.each([
    ['temperature', { error: { message: onlyOne, param: 'temperature', code: 'unsupported_value' } }],
    ['top_p', unsupported('top_p', 'top_p')],
    ['temperature', unsupported('model', 'temperature')],
    ['top_p', { error: { message: 'must be at most 0.99', param: 'top_p', code: 'invalid_request_error' } }],
    ['max_tokens', { error: { message: 'no', param: 'max_tokens', code: 'unsupported_parameter' } }],
    ['seed', { error: { message: 'Unrecognized request argument supplied: seed', param: null, code: null } }],
    ['seed', forbidden('seed')],
    ['max_completion_tokens', { object: 'error', message: forbidden('max_completion_tokens'), param: null }],
    [
      'seed',
      [{ error: { code: 400, message: 'Invalid JSON payload received. Unknown name "seed": Cannot find field.' } }],
    ],
    ['every field', { error: { message: 'no', param: null, code: 'unsupported_value' } }],
  ])('is told which field no request may have: %s', async (field, said) => {
    server.next(faults.saying(400, said));
    const { failure, rejected } = await failureOf(askAt(server.endpoint));
    expect({ code: failure.code, rejected }).toEqual({ code: 'teacher-incapable', rejected: false });
    expect(failure.message).toContain(`expected an endpoint that takes ${field} as the plan asks, found status 400`);
    expect(failure.remedy).toContain('omittedFields');
  });

  it.each([
    ['a prompt of the words of a shell', { error: { message: 'Prompt refused: echo $HOME', param: null } }],
    ['a prompt about log-probabilities', { error: { message: 'Cannot process "logprobs are at most 20"' } }],
    [
      'a prompt that quotes a refusal',
      { error: { message: "Refused: Unsupported parameter: 'seed' is not supported" } },
    ],
    ['a prompt of a shell, by a server that wraps no error', { object: 'error', message: 'echo $HOME', code: 400 }],
    ['a limit of tokens', { error: { message: 'max_tokens is too large after 900 of input', param: 'max_tokens' } }],
    ['messages that it does not take', unsupported('messages[0].role', 'messages[0].role', 'unsupported_value')],
    ['a part of a message', { detail: [{ type: 'extra_forbidden', loc: ['body', 'messages', 0, 'seed'] }] }],
    ['words alone', 'seed'],
  ])('that is refused for %s is refused alone, and others go on', async (_, said) => {
    server.next(faults.saying(400, said as object));
    const { failure, rejected } = await failureOf(askAt(server.endpoint));
    expect({ code: failure.code, rejected }).toEqual({ code: 'teacher-request-rejected', rejected: true });
  });

  it('that meets an error without end hears its status, and no more than a reply may have', async () => {
    server.next(faults.endlessError);
    const { failure } = await failureOf(askAt(server.endpoint));
    expect(failure.message).toContain('found status 500');
  });

  it('that nobody answers ends with its time limit', async () => {
    server.next(faults.silent);
    const { failure, ...call } = await failureOf(askAt(server.endpoint, { timeout: 200 }));
    expect(failure).toMatchObject({
      code: 'teacher-unavailable',
      message: expect.stringMatching(/within 0\.2 s \(limits\.timeout .*found silence$/),
    });
    // Each may be paid for, and the next would take as long.
    expect(call).toMatchObject({ tries: 2, maybePaid: true });
  });

  it('to where nobody listens is a failed connection', async () => {
    const { endpoint } = server;
    await server.stop();
    const { failure, maybePaid } = await failureOf(askAt(endpoint));
    expect(failure).toMatchObject({ code: 'teacher-unavailable', message: expect.stringContaining('ECONNREFUSED') });
    expect(maybePaid).toBe(false);
    server = await CountingTeacher.start();
  });

  it('ends with its signal, and says its reason', async () => {
    server.next(faults.silent);
    const reason = new Error('enough');
    const client = openClient(teacherAt(server.endpoint), undefined, chatWire);
    await expect(client.ask(request, 'key-1', AbortSignal.abort(reason))).rejects.toBe(reason);
  });

  it.each([
    ['nothing', faults.uncounted],
    ['in another form', faults.miscounted],
  ])('whose tokens the endpoint counts as %s is answered, and not counted', async (_, fault) => {
    server.next(fault);
    const { reply } = await askAt(server.endpoint);
    expect([reply.outcome, reply.usage]).toEqual(['answered', undefined]);
  });

  it.each([
    ['a refusal', faults.refusal, 'refused'],
    ['a filter of content', faults.filtered, 'refused'],
    ['a cut-off answer', faults.cutOff, 'cut-off'],
    ['an answer without text', faults.noText, 'empty'],
    ['a status in words of its own', faults.inOwnWords, 'answered'],
    ['an answer of a snapshot of the model', faults.servedBy('gpt-4o-2024-08-06'), 'answered'],
  ])('that meets %s has a reply', async (_, fault, outcome) => {
    server.next(fault);
    expect((await askAt(server.endpoint)).reply.outcome).toBe(outcome);
  });
});

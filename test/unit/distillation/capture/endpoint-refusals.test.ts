/** An endpoint that gives no distributions, or others than it is asked for: a capture from it ends with a code, and says what to do. */
import type { JsonObject } from '../../../../storage/index.js';
import { faults, type Fault } from '../../../support/counting-teacher.js';
import { scoredEndpoint, vocabularySize } from '../../../support/endpoint-capture.js';

const here = scoredEndpoint(10);
const { says, capture } = here;

describe('an endpoint that gives no distributions ends it by its name', () => {
  const reply =
    (value: object): Fault =>
    (response) =>
      void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value));
  const refuses =
    (message: string, param: string | null = null): Fault =>
    (response) =>
      void response
        .writeHead(400, { 'content-type': 'application/json' })
        .end(JSON.stringify({ error: { message, param } }));
  const usage = { prompt_tokens: 1, completion_tokens: 1 };
  const silent = { model: 'large', usage, choices: [{ text: 'a', finish_reason: 'length', logprobs: null }] };
  const vllm = 'Requested prompt logprobs of 50, which is greater than max allowed: 20';

  const bad: [string, Fault, code: string, calls: number, options?: JsonObject][] = [
    ['a cap that it says', refuses(vllm), 'teacher-logprobs-capped', 1],
    ['a cap of a field', refuses('Expected at most 20.', 'prompt_logprobs'), 'teacher-logprobs-capped', 1],
    [
      'a cap that a server says without wrapping it',
      faults.saying(400, { object: 'error', message: vllm, type: 'BadRequestError', param: null, code: 400 }),
      'teacher-logprobs-capped',
      1,
    ],
    [
      'a limit of tokens beside an echo, which is no cap',
      refuses('echo with max_tokens of 0 is not supported'),
      'teacher-logprobs-missing',
      1,
      { form: 'echo' },
    ],
    ['a prompt whose text it repeats', refuses('Cannot take echo $HOME', 'prompt'), 'capture-unaligned', 2],
    [
      'a field that it does not know',
      refuses('Unrecognized request argument: prompt_logprobs'),
      'teacher-logprobs-missing',
      1,
    ],
    ['a reply without them', reply(silent), 'teacher-logprobs-missing', 1],
    ['an echo without them', reply(silent), 'teacher-logprobs-missing', 1, { form: 'echo' }],
    ['a refused key', faults.status(401), 'teacher-refused-key', 1],
    ['no such place', faults.status(404), 'teacher-missing', 1],
    ['HTML', faults.html, 'teacher-reply-invalid', 2],
    ['nothing', faults.empty, 'teacher-reply-invalid', 2],
    ['half a reply, whenever it is asked', faults.halfReply, 'teacher-unavailable', 2],
    ['another model', faults.servedBy('small'), 'teacher-model-mismatch', 1],
    ['requests that it refuses', faults.status(400), 'capture-unaligned', 2],
  ];

  const remedyOf: Readonly<Record<string, string>> = {
    'teacher-logprobs-capped': 'Lower k of the capture to what the endpoint gives, or raise its limit',
    'teacher-logprobs-missing': 'Name a teacher that gives log-probabilities of prompts',
    'teacher-refused-key': 'a key that the endpoint takes',
    'teacher-missing': 'Correct the endpoint or the model',
    'teacher-reply-invalid': 'Correct the endpoint',
    'teacher-unavailable': 'Wait, or check the endpoint',
    'teacher-model-mismatch': 'Correct the model of the teacher',
    'capture-unaligned': 'Look at what is counted by reason',
  };

  it.each(bad)('%s', async (name, fault, code, calls, options = {}) => {
    here.server.faultFor = () => fault;
    const limits = { attempts: 2, parallel: 1 };
    await expect(capture({ name, teacher: { limits }, with: options })).rejects.toMatchObject({
      code,
      message: expect.stringMatching(/expected .+, found .+/) as string,
      remedy: expect.stringContaining(remedyOf[code] ?? '?') as string,
    });
    expect(here.server.asked).toHaveLength(calls);
  });

  it('fewer than it is asked for: 20 of 50', async () => {
    says({ most: 20 });
    const attempt = { name: 'few', with: { k: 50 }, teacher: { limits: { parallel: 1 } } };
    await expect(capture(attempt)).rejects.toMatchObject({
      code: 'teacher-logprobs-capped',
      message: 'expected the 50 most probable tokens at each position, found 21',
      remedy: expect.stringContaining('--max-logprobs'),
    });
    expect(here.server.asked).toHaveLength(1);
  });

  it('probabilities that are more than 1 together', async () => {
    says({ distort: (logprob) => logprob + 0.01 });
    await expect(capture({ name: 'too much' })).rejects.toMatchObject({ code: 'distribution-invalid' });
  });

  it('a tokenizer of other texts, seen at the first reply', async () => {
    says({ nameOf: (id) => here.tokenizer.decode([(id + 1) % vocabularySize]) });
    const attempt = { name: 'other tokenizer', teacher: { limits: { parallel: 1 } } };
    await expect(capture(attempt)).rejects.toMatchObject({ code: 'teacher-mismatch', fault: 'user' });
    expect(here.server.asked).toHaveLength(1);
  });
});

import { readReply } from '../../../../distillation/teachers/chat-reply.js';
import { Latencies } from '../../../../distillation/teachers/latencies.js';

const reply = (completionTokens: number) => ({
  ...readReply({
    model: 'large',
    choices: [{ finish_reason: 'stop', message: { content: 'yes' } }],
    usage: { prompt_tokens: 5, completion_tokens: completionTokens },
  }),
  cost: undefined,
});

const ended = (second: number, latencyMs: number) => ({
  latencyMs,
  recordedAt: new Date(Date.UTC(2026, 10, 27) + second * 1000).toISOString(),
});

it('tokens a second are those of the time in which any answer was under way: neither a night between two attempts counts, nor do two answers at once count twice', () => {
  const latencies = new Latencies();
  latencies.add(reply(30), ended(2, 2000)); // from 0 to 2 s
  latencies.add(reply(30), ended(3, 2000)); // from 1 to 3 s
  latencies.add(reply(40), ended(36_000, 1000)); // alone, ten hours later
  expect(latencies.observed).toEqual({ latencyP50Ms: 2000, latencyP95Ms: 2000, sideBySide: 1, tokensPerSecond: 25 });
});

it('side by side are as many as were under way on average while any was', () => {
  const latencies = new Latencies();
  for (let lane = 0; lane < 4; lane += 1) latencies.add(reply(0), ended(1, 1000));
  expect(latencies.observed).toEqual({ latencyP50Ms: 1000, latencyP95Ms: 1000, sideBySide: 4 });
});

it('of answers whose times nobody wrote down nothing is said', () => {
  expect(new Latencies().observed).toEqual({});
});

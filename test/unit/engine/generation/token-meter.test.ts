/** What a meter of tokens tells, by a clock that a test moves. */
import { TokenMeter } from '../../../../engine/generation/token-meter.js';

it('tokens are told once a second, and not soon after something else was told', () => {
  let nowMs = 10_000;
  const tellings: number[] = [];
  const tell = (): void => {
    tellings.push(nowMs);
    meter.told();
  };
  const meter = new TokenMeter(tell, () => nowMs);
  for (nowMs of [10_000, 10_500, 10_999, 11_000, 11_500]) meter.token();
  meter.told();
  for (nowMs of [12_400, 12_500]) meter.token();
  expect(tellings).toEqual([10_000, 11_000, 12_500]);
});

it('the pace is that while tokens are asked for: neither loading a model before nor sealing after slows it', () => {
  let nowMs = 0;
  const meter = new TokenMeter(
    () => undefined,
    () => nowMs,
  );
  nowMs = 60_000;
  meter.begin();
  expect(meter.facts).toEqual({});
  for (let token = 0; token < 30; token += 1) meter.token();
  nowMs = 62_000;
  expect(meter.facts).toEqual({ tokens: 30, tokensPerSecond: 15 });
  for (nowMs of [63_000, 90_000]) meter.end();
  expect(meter.tokensPerSecond).toBe(10);
});

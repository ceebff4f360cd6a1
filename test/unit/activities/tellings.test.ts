import { Tellings } from '../../../activities/tellings.js';

/** When something that changes every second is told, within so many hours. */
function toldWithin(hours: number): number[] {
  const [tellings, moments]: [Tellings, number[]] = [new Tellings(), []];
  for (let nowMs = 0; nowMs < hours * 3_600_000; nowMs += 1000) {
    if (!tellings.isDue(nowMs)) continue;
    tellings.add(nowMs);
    moments.push(nowMs);
  }
  return moments;
}

it('the first changes are told at once, later ones after pauses that grow', () => {
  const seconds = toldWithin(1).map((moment) => moment / 1000);
  expect(seconds.slice(0, 13)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 17, 37, 77, 157, 317]);
});

it('a run of a week is told some hundred times a day, of whatever comes and goes', () => {
  const moments = toldWithin(7 * 24);
  expect(moments.length).toBeLessThan(7 * 24 * 6 + 20);
  expect(moments.at(-1)! - moments.at(-2)!).toBe(600_000);
});

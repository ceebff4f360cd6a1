/** When `--prove` kills a training, and what it says of it. */
import { MidwayKills, sayKill } from '../../../cli/dev/midway-kills.js';
import type { ChildProgress } from '../../../config/child-protocol.js';

const report = (pid: number, done: number, durable?: number): ChildProgress => ({
  node: 'student',
  pid,
  progress: {
    phase: 'train',
    facts: { done, of: 40, unit: 'steps' },
    ...(durable !== undefined && { durable: { step: durable, fence: 1 } }),
  },
});

function watching() {
  const killed: number[] = [];
  const kills = new MidwayKills((pid) => void killed.push(pid));
  const take = (...reports: readonly ChildProgress[]) => reports.forEach((one) => kills.take(one));
  return { kills, killed, take };
}

it('a training is killed once, past its half, when a checkpoint is durable and more than one step would be lost', () => {
  const { kills, killed, take } = watching();
  take(report(7, 0), report(7, 19, 12), report(7, 20, 19), report(7, 21, 20.5));
  expect(killed).toEqual([]);
  take(report(7, 23, 20.5), report(7, 24, 20.5));
  expect(killed).toEqual([7]);
  take(report(8, 20), report(8, 30, 21), report(8, 31, 21));
  expect(killed).toEqual([7]);
  expect(kills.all).toEqual([{ node: 'student', pid: 7, step: 24, of: 40, resumedFrom: 20 }]);
  expect(kills.all.map(sayKill)).toEqual([
    'student: killed with SIGKILL at step 24 of 40 (process 7), resumed from step 20: 4 steps were lost and done again',
  ]);
});

it('one without a checkpoint is left alone, and one that saves at each step is killed at three quarters', () => {
  const { kills, killed, take } = watching();
  take(report(7, 20), report(7, 30), report(7, 39, 0.5), report(7, 40, 39));
  expect(killed).toEqual([]);
  take(report(7, 29, 28), report(7, 30, 29));
  expect(killed).toEqual([7]);
  expect(kills.all.map(sayKill)).toEqual(['student: killed with SIGKILL at step 30 of 40 (process 7)']);
});

it('what is no training is left alone, and so is one that has ended by itself', () => {
  const kills = new MidwayKills(() => {
    throw new Error('no such process');
  });
  kills.take({ node: 'evaluate', pid: 7, progress: { phase: 'evaluate', facts: { done: 30, of: 40 } } });
  kills.take(report(7, 24, 20));
  expect(kills.all).toEqual([]);
});

/**
 * Which process is killed, in which stage, at which moment: every combination in which the process has work in flight. Moments
 * are steps of a stage's life as its requests to the store show them, in the order in which they come.
 */
import { createRandom } from '../../engine/training/random.js';
import type { HoldRule } from './holding-proxy.js';
import { microStages, type MicroStage } from './micro-plan.js';

export const processKinds = [
  'import child',
  'trainer child',
  'gpu worker',
  'io worker',
  'orchestrator worker',
  'Temporal server',
  'S3 server',
] as const;
export type ProcessKind = (typeof processKinds)[number];

/** `work` is between two requests; every other moment is one request of the stage, held while the kill strikes. */
const moments = ['lookup', 'claim', 'work', 'save', 'seal', 'result'] as const;
export type Moment = (typeof moments)[number];

export interface KillOrder {
  readonly process: ProcessKind;
  readonly stage: MicroStage;
  readonly moment: Moment;
}

/** The request by which a moment of a stage is known. */
export function requestOf(moment: Exclude<Moment, 'work'>, stageKey: string, store: string): HoldRule {
  const rules = {
    lookup: ['GET', `results/${stageKey}`],
    claim: ['PUT', `heads/${stageKey}`],
    save: ['PUT', `checkpoints/${stageKey}/\\d`],
    seal: ['PUT', `checkpoints/${stageKey}/final`],
    result: ['PUT', `results/${stageKey}`],
  } as const;
  const [method, path] = rules[moment];
  return { method, path: new RegExp(`${store}/${path}`) };
}

/** Where a stage works, which is where it can be killed. */
const hosts: Record<MicroStage, readonly ProcessKind[]> = {
  import: ['import child', 'io worker'],
  teacher: ['io worker'],
  student: ['io worker'],
  'fine-tune': ['trainer child', 'gpu worker'],
  distill: ['trainer child', 'gpu worker'],
};

/** Short stages keep no checkpoint: they are done between claim and seal. */
const hasCheckpoints = (stage: MicroStage): boolean => stage !== 'teacher' && stage !== 'student';

function momentsOf(process: ProcessKind, stage: MicroStage): Moment[] {
  const life = moments.filter((moment) => hasCheckpoints(stage) || (moment !== 'work' && moment !== 'save'));
  if (process === 'orchestrator worker') return ['lookup'];
  if (process === 'Temporal server') return life;
  if (process === 'S3 server') return life.filter((moment) => moment !== 'work');
  return hosts[stage].includes(process) ? life.filter((moment) => moment !== 'lookup') : [];
}

/** Everything that there is to kill of this kind, in the order in which a run comes to it. */
export const allKills = (process: ProcessKind): KillOrder[] =>
  microStages.flatMap((stage) => momentsOf(process, stage).map((moment) => ({ process, stage, moment })));

const leastKills = 3;

/** One kill a stage, at a moment that the seed draws, and more where that makes fewer than three. */
export function drawnKills(process: ProcessKind, seed: number): KillOrder[] {
  const all = allKills(process);
  const stages = microStages.filter((stage) => all.some((order) => order.stage === stage));
  const perStage = Math.ceil(leastKills / stages.length);
  const { permutation } = createRandom(seed, process);
  return stages.flatMap((stage) => {
    const orders = all.filter((order) => order.stage === stage);
    const drawn = [...permutation(orders.length)].slice(0, perStage);
    return orders.filter((_, index) => drawn.includes(index));
  });
}

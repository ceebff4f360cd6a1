/**
 * Which process is killed, in which stage, at which moment: every combination in which the process has work in flight. Moments
 * are steps of a stage's life as its requests show them, in the order in which they come.
 */
import { createRandom } from '../../engine/training/random.js';
import type { HoldRule } from './holding-proxy.js';

export const processKinds = [
  'import child',
  'trainer child',
  'gpu worker',
  'io worker',
  'orchestrator worker',
  'Temporal server',
  'S3 server',
  'teacher server',
] as const;
export type ProcessKind = (typeof processKinds)[number];

/**
 * `work` is after the first checkpoint; at `ask` the teacher has all requests that may be under way, and has answered none; every other
 * moment is one request of the stage to the store, held while the kill strikes. `record` lies between a response that was received
 * and its record.
 */
const moments = ['lookup', 'claim', 'ask', 'record', 'work', 'save', 'move', 'seal', 'result'] as const;
export type Moment = (typeof moments)[number];

export interface KillOrder {
  readonly process: ProcessKind;
  readonly stage: string;
  readonly moment: Moment;
}

/** A stage of a plan that is disturbed. */
export interface StageLife {
  readonly id: string;
  /** Where it works, which is where it can be killed. Servers and the orchestrator take part in every stage. */
  readonly hosts: readonly ProcessKind[];
  /** In the order of `moments`, where it can be told when they come. */
  readonly moments: readonly Moment[];
}

/** The request to the store by which a moment of a stage is known. */
export function requestOf(moment: Exclude<Moment, 'work' | 'ask'>, stageKey: string, store: string): HoldRule {
  const rules = {
    lookup: ['GET', `results/${stageKey}`],
    claim: ['PUT', `heads/${stageKey}`],
    record: ['PUT', 'responses/.*/single/'],
    save: ['PUT', `checkpoints/${stageKey}/\\d`],
    move: ['PUT', 'models/'],
    seal: ['PUT', `checkpoints/${stageKey}/final`],
    result: ['PUT', `results/${stageKey}`],
  } as const;
  const [method, path] = rules[moment];
  return { method, path: new RegExp(`${store}/${path}`) };
}

function momentsOf(process: ProcessKind, { hosts, moments: life }: StageLife): Moment[] {
  const inOrder = moments.filter((moment) => life.includes(moment));
  if (process === 'orchestrator worker') return inOrder.filter((moment) => moment === 'lookup');
  if (process === 'Temporal server') return inOrder;
  if (process === 'S3 server') return inOrder.filter((moment) => moment !== 'work' && moment !== 'ask');
  // One that comes back is asked again, and dies of it again.
  if (process === 'teacher server')
    return inOrder.flatMap((moment) => (moment === 'ask' ? [moment, moment, moment] : []));
  return hosts.includes(process) ? inOrder.filter((moment) => moment !== 'lookup') : [];
}

/** Everything that there is to kill of this kind, in the order in which a run comes to it. */
export const allKills = (process: ProcessKind, stages: readonly StageLife[]): KillOrder[] =>
  stages.flatMap((stage) => momentsOf(process, stage).map((moment) => ({ process, stage: stage.id, moment })));

/** The kinds that take part in these stages. */
export const kindsIn = (stages: readonly StageLife[]): ProcessKind[] =>
  processKinds.filter((process) => allKills(process, stages).length > 0);

const leastKills = 3;

/** One kill a stage, at a moment that the seed draws, and more where that makes fewer than three. */
export function drawnKills(process: ProcessKind, lives: readonly StageLife[], seed: number): KillOrder[] {
  const all = allKills(process, lives);
  const stages = lives.map(({ id }) => id).filter((id) => all.some(({ stage }) => stage === id));
  const perStage = Math.ceil(leastKills / stages.length);
  const { permutation } = createRandom(seed, process);
  return stages.flatMap((id) => {
    const orders = all.filter(({ stage }) => stage === id);
    const drawn = [...permutation(orders.length)].slice(0, perStage);
    return orders.filter((_, index) => drawn.includes(index));
  });
}

/** One kill a stage, by whichever process the seed draws, beside those that are wanted; those of one stage in the order of its life. */
export function mixedKills(lives: readonly StageLife[], wanted: readonly KillOrder[], seed: number): KillOrder[] {
  const all = processKinds.flatMap((process) => allKills(process, lives));
  const { integer } = createRandom(seed, 'one kill a stage');
  const inLife = (one: KillOrder, other: KillOrder): number =>
    moments.indexOf(one.moment) - moments.indexOf(other.moment);
  return lives.flatMap(({ id }) => {
    const orders = all.filter(({ stage }) => stage === id);
    const drawn = orders[integer(orders.length)];
    return [...wanted.filter(({ stage }) => stage === id), ...(drawn ? [drawn] : [])].sort(inLife);
  });
}

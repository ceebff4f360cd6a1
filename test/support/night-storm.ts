/** A night with kills in it: also what its teacher was asked, and what serves in the end. */
import { findModel } from '../../client/index.js';
import { AskedRecord, type AskedSummary } from './asked-record.js';
import type { KillOrder } from './kill-orders.js';
import { nightName, promptCount } from './night-plan.js';
import type { Storm, StormRun, Undisturbed } from './storm.js';

export interface NightRun extends StormRun {
  readonly asked: AskedSummary;
  readonly serves: Serving;
}

interface Serving {
  readonly digest: string | undefined;
  /** How often the name was moved. */
  readonly moves: number;
}

export async function runNight(
  storm: Storm,
  runId: string,
  orders: readonly KillOrder[],
  undisturbed: Undisturbed,
): Promise<NightRun> {
  const { teacher } = storm.pipeline;
  if (teacher === undefined) throw new Error('expected a plan that asks a teacher');
  const record = new AskedRecord(teacher, promptCount);
  storm.onKill = (store, order) => record.atKill(store, order);
  const run = await storm.run(runId, orders, undisturbed);
  const { nodes } = await storm.handle(runId).result();
  const store = storm.storeOf(runId);
  return { ...run, asked: await record.summary(store, nodes['answer']), serves: await servingIn(store) };
}

async function servingIn(store: string): Promise<Serving> {
  const model = await findModel({ store, name: nightName });
  return { digest: model?.current.digest, moves: model?.counter ?? 0 };
}

/** What of a night is not as it must be, whatever was killed; its outcome is held against that of an undisturbed one besides. */
export function faultsIn({ asked, serves }: NightRun, { outcome }: Pick<Undisturbed, 'outcome'>): string[] {
  const { keys, asked: calls, inFlight, possiblyPaidTwice, askedThoughRecorded } = asked;
  const model = outcome.digests['distill.model'];
  const rules: readonly (readonly [boolean, string])[] = [
    [
      serves.digest === model && serves.moves === 1,
      `expected ${model} to serve after one move, found ${JSON.stringify(serves)}`,
    ],
    [askedThoughRecorded.length === 0, `asked again though recorded: ${askedThoughRecorded.join(', ')}`],
    [calls <= keys + inFlight, `expected at most ${keys} + ${inFlight} calls, found ${calls}`],
    [
      possiblyPaidTwice === calls - keys,
      `expected ${calls - keys} calls possibly paid twice, found ${possiblyPaidTwice}`,
    ],
  ];
  return rules.flatMap(([holds, fault]) => (holds ? [] : [fault]));
}

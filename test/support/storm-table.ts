/** Kills as a table: which process, in which stage, at which moment and step, and whether work was in flight. */
import { drawTable } from '../../tools/setup.js';
import type { Kill } from './storm.js';

const columns = ['process', 'stage', 'moment', 'attempt', 'step', 'in flight'];

export const drawKills = (kills: readonly Kill[]): string =>
  drawTable(
    columns,
    kills.map(({ process, stage, moment, attempt, step, inFlight }) => [
      process,
      stage,
      moment,
      String(attempt),
      String(step),
      inFlight ? 'yes' : 'no',
    ]),
  );

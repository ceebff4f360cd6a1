/** Where the time of a run went, node by node, and whether all of it stayed within what the demo promises. */
import type { RunView } from '../../client/index.js';
import { formatDuration } from '../../config/format-duration.js';
import { drawTable } from '../../tools/setup.js';

const promisedMs = 10 * 60 * 1000;

export function stageTimes({ nodes, startedAtMs = 0, endedAtMs = 0 }: RunView, demoMs: number): string {
  const ran = nodes.flatMap(({ id, status, startedAtMs: from, endedAtMs: to }) =>
    status === 'done' && from !== undefined && to !== undefined ? [{ id, ms: to - from }] : [],
  );
  const whole = Math.max(1, endedAtMs - startedAtMs);
  const rows = ran.map(({ id, ms }) => [id, formatDuration(ms), `${Math.round((100 * ms) / whole)} %`]);
  const longest = ran.reduce((one, other) => (other.ms > one.ms ? other : one), { id: 'none', ms: 0 });
  return [
    drawTable(['stage', 'time, waiting included', 'of the run'], rows).replaceAll(/^/gm, '  '),
    '',
    `  The run took ${formatDuration(whole)}, the demo ${formatDuration(demoMs)} without set-up: ${
      demoMs <= promisedMs
        ? 'under 10 minutes.'
        : `${formatDuration(demoMs - promisedMs)} more than 10 minutes; the longest stage was ${longest.id}, ${formatDuration(longest.ms)}.`
    }`,
  ].join('\n');
}

/** `nightstill gc`: what a store holds that nothing needs any more; removed only when told so. */
import type { CollectionReport } from '../storage/index.js';
import { drawTable } from '../tools/setup.js';
import { formatBytes } from '../tools/progress.js';
import { commonExits, defineCommand, exitStatus, UsageError } from './command.js';
import { defaultStore, storeFlag } from './default-store.js';
import { wholeNumber } from './numbers.js';

const defaultGrace = '24h';
const defaultRuns = 20;

export const gcCommand = defineCommand({
  name: 'gc',
  group: 'data',
  summary: 'find, and on request remove, what a store holds for nobody',
  about: `Lists what nothing needs any more: neither an alias, nor an open run, nor one of the last closed runs, nor a result that is young.
Nothing is removed without --yes. Heads, run records, aliases and recorded responses stay in any case.

What is younger than the grace is left alone, since somebody may be about to need it: it must be longer than the longest save.`,
  flags: {
    ...storeFlag,
    yes: { summary: 'remove what is listed' },
    grace: { value: 'duration', summary: `as 90s, 30m, 12h, 7d; default ${defaultGrace}` },
    'keep-runs': { value: 'n', summary: `closed runs whose stages are kept; default ${defaultRuns}` },
    keys: { summary: 'list every object' },
    json: { summary: 'the report as JSON' },
  },
  exits: { 0: 'looked, or removed', ...commonExits },
  run: async ({ flags, variables }) => {
    const { collect, openObjectStore } = await import('../storage/index.js');
    const url = flags.store ?? defaultStore(variables);
    const options = {
      dryRun: !flags.yes,
      graceMs: milliseconds(flags.grace ?? defaultGrace),
      closedRuns: wholeNumber('keep-runs', flags['keep-runs'] ?? String(defaultRuns), [0, 1_000_000]),
    };
    // Opened for writing, a directory would be made: whoever collects from one that is not there has mistaken its name.
    await (await openObjectStore(url)).close();
    const store = await openObjectStore(url, { forWriting: true });
    try {
      const report = await collect(store, options);
      process.stdout.write(`${flags.json ? JSON.stringify(report) : describe(store.url, report, flags.keys)}\n`);
      return exitStatus.ok;
    } finally {
      await store.close();
    }
  },
});

const unitMs = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

function milliseconds(text: string): number {
  const [, amount = '', unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? [];
  if (unit === 's' || unit === 'm' || unit === 'h' || unit === 'd') return Number(amount) * unitMs[unit];
  throw new UsageError(`--grace: expected a duration such as 90s, 30m, 12h or 7d, found "${text}"`);
}

function describe(url: string, report: CollectionReport, withKeys: boolean): string {
  const { dryRun, removed, removedBy, kept, removedKeys, endedUploads } = report;
  const rows = Object.entries({ ...removedBy, all: removed })
    .filter(([name, { objects }]) => objects > 0 || name === 'all')
    .map(([name, { objects, bytes }]) => [name, String(objects), formatBytes(bytes)]);
  const lines = [
    `${url}: ${dryRun ? 'would remove' : 'removed'}`,
    '',
    drawTable(['', 'objects', 'bytes'], rows).replaceAll(/^/gm, '  '),
    '',
    `  ${kept.objects} objects of ${formatBytes(kept.bytes)} are needed, or too young to tell.`,
    ...(endedUploads > 0 ? [`  ${endedUploads} unfinished uploads were ended.`] : []),
    ...(withKeys ? ['', ...removedKeys.map((key) => `  ${key}`)] : []),
    ...(dryRun && removed.objects > 0 ? ['', '  Nothing was removed. With --yes it is.'] : []),
  ];
  return lines.join('\n');
}

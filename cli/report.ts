/** `nightstill report`: the closing table of a run, and what it says of the distillation. */
import type { Variables } from '../config/environment.js';
import { commonExits, defineCommand, exitStatus, UsageError } from './command.js';
import { connectionFlags } from './connection-flags.js';
import { readRecorded, recordedInFlag } from './default-store.js';
import { languages, type Language } from './report/words.js';

export const reportCommand = defineCommand({
  name: 'report',
  group: 'runs',
  summary: 'how good the models of a run are, what they cost, and whether distilling was worth it',
  about: `One row a system that the run evaluated: score with its interval, agreement with the teacher, size, latency, cost. Then the difference
between the distilled student and its control on the same items, what was not compared, what the gate decided, what serves now, and where
everything lies. Read from the store, which is that of the plan when Temporal still knows the run. docs/read-the-report.md explains it.`,
  words: [{ name: 'run' }],
  flags: {
    lang: {
      value: 'language',
      summary: 'en or ja; default: ja where LC_ALL, LC_MESSAGES or LANG says so, else en',
      offers: languages,
    },
    'usd-per-hour': { value: 'price', summary: 'of a machine; without it what machines cost is not given' },
    json: { summary: 'as JSON' },
    ...recordedInFlag,
    ...connectionFlags,
  },
  exits: { 0: 'reported', ...commonExits },
  run: async ({ flags, words: [runId = ''], variables }) => {
    const language = languageOf(flags.lang, variables);
    const price = flags['usd-per-hour'];
    const about = { runId, ...(price !== undefined && { usdPerHour: priceOf(price) }) };
    const { askServer, connectLazily } = await import('./connect.js');
    const { report } = await import('../client/index.js');
    const { drawReport } = await import('./report/draw-report.js');
    const open = await connectLazily(flags);
    try {
      const { client } = open;
      const found = await askServer(open, `run ${runId}`, () =>
        readRecorded(flags.store, variables, (store) =>
          report(store === undefined ? { ...about, client } : { ...about, store }),
        ),
      );
      process.stdout.write(`${flags.json ? JSON.stringify(found) : drawReport(found, language)}\n`);
      return exitStatus.ok;
    } finally {
      await open.close();
    }
  },
});

/** The first of the variables that is set decides, as for every program. */
export function languageOf(flag: string | undefined, variables: Variables): Language {
  const locale = variables['LC_ALL'] || variables['LC_MESSAGES'] || variables['LANG'] || '';
  const name = flag ?? (/^ja(?![a-z])/i.test(locale) ? 'ja' : 'en');
  const language = languages.find((known) => known === name);
  if (language) return language;
  throw new UsageError(`--lang: expected ${languages.join(' or ')}, found "${name}"`);
}

function priceOf(text: string): number {
  const price = /^\d{1,9}(\.\d{1,9})?$/.test(text) ? Number(text) : Number.NaN;
  if (price > 0) return price;
  throw new UsageError(`--usd-per-hour: expected a price above 0, such as 1.25, found "${text}"`);
}

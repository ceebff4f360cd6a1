/** Is it a score of the kind that the scorer promises? A number that is none would be averaged with the others for ever. */
import { NightstillError } from '../../config/errors.js';
import type { Score, ScoreKind, Scorer } from './scorer.js';

/** @throws score-invalid */
export function checkScore({ id, kind }: Pick<Scorer, 'id' | 'kind'>, item: string, found: unknown): Score {
  const { score, detail }: { score?: unknown; detail?: unknown } = typeof found === 'object' && found ? found : {};
  if (isScore(score, kind) && typeof detail === 'string') return { score, detail };
  const expected = `${kind === 'mean' ? 'a number of 0 to 1' : '0 or 1'} as score and a text as detail`;
  throw new NightstillError(
    'score-invalid',
    `scorer ${id}, item ${item}: expected ${expected}, found ${said(score)} and ${typeof detail === 'string' ? 'a text' : said(detail)}`,
    { details: { scorer: id, item } },
  );
}

const isScore = (score: unknown, kind: ScoreKind): score is number =>
  typeof score === 'number' && (kind === 'mean' ? score >= 0 && score <= 1 : score === 0 || score === 1);

const said = (value: unknown): string =>
  typeof value === 'number' || value === undefined ? String(value) : `a value of type ${typeof value}`;

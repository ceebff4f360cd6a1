/**
 * Right when the answer is the reference, but for what nobody means when writing it: the Unicode form (NFKC, so full-width
 * letters are letters), spaces at the ends, and how many spaces stand between words. Letter case and punctuation count.
 */
import { NightstillError } from '../../config/errors.js';
import { scorerVersions } from '../../config/evaluate-options.js';
import type { Scorer } from './scorer.js';

/** The answer as it is compared. */
export const normalise = (text: string): string => text.normalize('NFKC').trim().replaceAll(/\s+/gu, ' ');

export const exactMatch: Scorer = {
  id: 'exact-match',
  version: scorerVersions['exact-match'],
  kind: 'right-wrong',
  score({ answer, reference, item }) {
    if (reference === undefined)
      throw new NightstillError('evaluation-invalid', `item ${item.id}: expected a reference answer, found none`);
    const [given, wanted] = [normalise(answer), normalise(reference)];
    return given === wanted
      ? { score: 1, detail: 'equal' }
      : { score: 0, detail: `expected "${shortened(wanted)}", found "${shortened(given)}"` };
  },
};

const longest = 80;

const shortened = (text: string): string => {
  const characters = Array.from(text);
  return characters.length > longest ? `${characters.slice(0, longest).join('')}…` : text;
};

/** A scorer of your own: which share of the numbers in the reference an answer names. Workers take it by `--scorers`. */
import type { Scorer } from 'nightstill/evaluation';

const numbersIn = (text: string): Set<string> => new Set(text.normalize('NFKC').match(/\d+(\.\d+)?/g));

export const scorers: readonly Scorer[] = [
  {
    id: 'numbers-named',
    version: 1,
    kind: 'mean',
    score({ answer, reference = '' }) {
      const [wanted, named] = [numbersIn(reference), numbersIn(answer)];
      const missing = [...wanted].filter((number) => !named.has(number));
      if (missing.length === 0) return { score: 1, detail: 'every number' };
      return { score: 1 - missing.length / wanted.size, detail: `without ${missing.join(', ')}` };
    },
  },
];

/**
 * Does an endpoint give log-probabilities of prompts, as later stages will ask for them? One request of eight tokens finds out. It is
 * recorded and paid for as any other, and never made again: where it is recorded, or nothing is bought, the endpoint is not called.
 */
import { hasCode, NightstillError } from '../../config/errors.js';
import type { ScoringNeed } from '../../config/scoring-need.js';
import type { TeacherEndpoint } from '../../config/teacher-schema.js';
import { sumOf, type Ledger, type NanoUsd } from '../responses/index.js';
import { ask, type AskingMeans } from './ask.js';
import { openProbedClientOver } from './probed-client.js';
import { scoredAnswerTokens, scoringQuestion, scoringWire, type ScoredPrompt } from './scoring-wire.js';

export interface ScoringProbe {
  readonly teacher: TeacherEndpoint;
  readonly apiKey: string | undefined;
  /** What its canaries say that it is now. */
  readonly drift: string | null;
  readonly needs: readonly ScoringNeed[];
}

/** Ids that every vocabulary has. What they mean is of no interest. */
const probeIds = Int32Array.of(1, 2, 3, 4, 5, 6, 7, 8);

/** @throws teacher-logprobs-missing, teacher-logprobs-capped, teacher-incapable; the codes of a teacher that does not answer */
export async function confirmScoring(
  { teacher, apiKey, drift, needs }: ScoringProbe,
  means: Pick<AskingMeans, 'pace' | 'ledger' | 'stop' | 'cut'>,
): Promise<void> {
  for (const { form, k } of needs) {
    const client = openProbedClientOver(teacher, apiKey, scoringWire(form, k));
    const asking: AskingMeans<ScoredPrompt> = { ...means, teacher, client, maximumTokens: scoredAnswerTokens };
    try {
      const scored = await ask(asking, scoringQuestion({ teacher, drift, form, k }, probeIds));
      if (typeof scored === 'string') throw refused(form);
    } catch (error) {
      throw hasCode(error, ...incapable) ? told(error) : error;
    }
  }
}

/** What finding out has cost, whoever has asked; undefined where a price is not known. */
export async function scoringCost(
  { teacher, drift, needs }: Omit<ScoringProbe, 'apiKey'>,
  ledger: Pick<Ledger, 'find'>,
): Promise<NanoUsd | undefined> {
  const keys = needs.map(({ form, k }) => scoringQuestion({ teacher, drift, form, k }, probeIds).key);
  const prices = [...(await ledger.find(keys)).values()].map(({ price }) => price?.nanoUsd);
  return prices.every((price) => price !== undefined) ? sumOf(prices) : undefined;
}

const incapable = [
  'teacher-logprobs-missing',
  'teacher-logprobs-capped',
  'teacher-incapable',
  'teacher-missing',
] as const;

const refused = (form: string): NightstillError =>
  new NightstillError(
    'teacher-incapable',
    `expected an endpoint that takes ids as a prompt at /completions (${form}), found that it refuses the request`,
  );

const told = ({ code, message, details }: NightstillError): NightstillError =>
  new NightstillError(code, `asked before any answer, for a stage that captures its distributions: ${message}`, {
    details,
  });

/** What a stage asks of an endpoint beside answers: how probable the tokens of a prompt are, so many of the most probable at each. */
import { z } from 'zod';

/** How an endpoint is asked for the log-probabilities of a prompt; both at /completions. */
export const scoringForms = ['prompt_logprobs', 'echo'] as const;
export type ScoringForm = (typeof scoringForms)[number];

export const scoringNeedSchema = z.strictObject({ form: z.enum(scoringForms), k: z.int().min(1) });
export type ScoringNeed = Readonly<z.output<typeof scoringNeedSchema>>;

/**
 * What a student must prove before it is promoted, as `gates` of a plan say it: one requirement an entry, and all of them must
 * hold. Only the shape is checked here; `evaluation/gate/` decides.
 */
import { z } from 'zod';

/** Models that are evaluated on the same items; the candidate is compared with the others. */
export const systems = ['champion', 'base', 'teacher', 'control', 'fine-tuned'] as const;
export type System = (typeof systems)[number];

const name = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/, '1 to 63 characters of A-Z a-z 0-9 . _ -');
const score = name.describe('A scorer, such as exact-match.');
const share = z.number().gt(0).lt(1);
const alpha = share.max(0.5).default(0.05).describe('How often a student that does not deserve it may pass.');
const minItems = z.int().min(1).default(100).describe('With fewer items nothing is decided.');

/** Scores are 0 to 1, whatever judges (`evaluation/scorers/scorer.ts`), and so are their means. */
const asScores = '0 to 1, as scores are: 0.8 for 80 percent';

const notWorse = z.strictObject({
  score,
  notWorseThan: z.enum(systems).describe('Proven not worse than this model by a paired test.'),
  margin: z
    .number()
    .gt(0)
    .lt(1, 'less than 1, as scores are 0 to 1: 0.05 for five points')
    .default(0.05)
    .describe('A loss of this much is one loss too many: 0.05 for five points.'),
  alpha,
  power: share.min(0.5).default(0.8).describe('How often a student that is just as good passes.'),
  discordance: z
    .number()
    .gt(0)
    .default(0.2)
    .describe('Expected share of items on which the two differ; for means, the mean square of their differences.'),
  minItems,
});

const better = z.strictObject({
  score,
  betterThan: z.enum(systems).describe('Proven better than this model by a paired test.'),
  alpha,
  minItems,
});

/** Of a model's mean: more of it than that nobody means. */
const mostTimes = 10;

const floor = z
  .strictObject({
    score,
    atLeast: z
      .number()
      .min(0)
      .describe('The mean score, 0 to 1; or with `of` the share of that model’s mean score: 0.8 for 80 percent of it.'),
    of: z.enum(systems).optional(),
    minItems,
  })
  .superRefine(({ atLeast: input, of }, context) => {
    if (input <= (of === undefined ? 1 : mostTimes)) return;
    const message =
      of === undefined ? asScores : `at most ${mostTimes} times the mean of that model: 0.8 for 80 percent`;
    context.addIssue({ code: 'custom', path: ['atLeast'], input, message });
  });

const ceiling = z.strictObject({
  score,
  atMost: z.number().min(0).max(1, asScores).describe('The mean score.'),
  minItems,
});

const observed = z.strictObject({
  observation: name.describe(
    'What was measured beside the scores: latencyP95Ms, or another number that the evaluation of the candidate observes.',
  ),
  atMost: z.number(),
});

export const gateSchema = z.array(z.union([notWorse, better, floor, ceiling, observed])).min(1);

export type Gate = z.infer<typeof gateSchema>;
export type Requirement = Gate[number];
export type NotWorse = z.infer<typeof notWorse>;
export type Better = z.infer<typeof better>;
export type Floor = z.infer<typeof floor>;
export type Ceiling = z.infer<typeof ceiling>;
export type Observed = z.infer<typeof observed>;

/** The other models that it compares the candidate with, each once. */
export const systemsOf = (gate: Gate): System[] =>
  systems.filter((system) =>
    gate.some(
      (requirement) =>
        ('notWorseThan' in requirement && requirement.notWorseThan === system) ||
        ('betterThan' in requirement && requirement.betterThan === system) ||
        ('of' in requirement && requirement.of === system),
    ),
  );

/** The scores that it asks for, each once. */
export const scoresOf = (gate: Gate): string[] => [
  ...new Set(gate.flatMap((requirement) => ('score' in requirement ? [requirement.score] : []))),
];

/** The observations that it asks for, each once. */
export const observationsOf = (gate: Gate): string[] => [
  ...new Set(gate.flatMap((requirement) => ('observation' in requirement ? [requirement.observation] : []))),
];

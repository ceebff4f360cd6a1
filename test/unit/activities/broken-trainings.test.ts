/** What the options of a training cannot say together is told when the plan is resolved, before anything is captured or asked. */
import { resolvePlan } from '../../../activities/resolve-plan.js';
import { builtInStages } from '../../../plugins/built-in-stages.js';

const rules = { kinds: builtInStages.map(({ kind }) => kind), queuePrefix: 'night' };
const standard = { name: 'nightly', store: 'file:///store', teacher: '/t', student: '/s', dataset: '/rows.jsonl' };
const evenly = 'vocabularyChunks: expected a divisor of rows × rowTokens, the tokens of a micro-batch';
const wholeTeacher = 'expected none beside the input teacher, of whose distributions nothing is missing';

it.each([
  ['AdamW that never forgets', { 'fine-tune': { beta1: 1 } }, 'fine-tune.beta1: expected less than 1, found 1'],
  ['its squares neither', { distill: { beta2: 1 } }, 'distill.beta2: expected less than 1, found 1'],
  ['pieces that are not equal', { 'fine-tune': { vocabularyChunks: 3 } }, `fine-tune.${evenly}, found 3`],
  ['nor in a distillation', { distill: { rows: 3, vocabularyChunks: 7 } }, `distill.${evenly}, found 7`],
  [
    'reverse KL from a teacher that does not know every token',
    { capture: {}, distill: { divergence: 'reverse-kl', missingMass: 'truncate' } },
    'distill.missingMass: expected tail-bucket beside reverse-kl, which needs a teacher probability for every token, found a value of type string',
  ],
  [
    'a rule for missing mass where none is missing',
    { distill: { missingMass: 'truncate' } },
    `distill.missingMass: ${wholeTeacher}, found "truncate"`,
  ],
])('%s', (_, changes, message) => {
  expect(() => resolvePlan({ ...standard, ...changes }, rules)).toThrow(
    expect.objectContaining({ code: 'plan-invalid', message }),
  );
});

it.each([
  ['pieces that are equal', { distill: { rows: 3, vocabularyChunks: 6 } }],
  ['another rule for the missing mass of captured logits', { capture: {}, distill: { missingMass: 'truncate' } }],
  ['reverse KL from them', { capture: {}, distill: { divergence: 'reverse-kl' } }],
])('%s: that is a plan', (_, changes) => {
  expect(resolvePlan({ ...standard, ...changes }, rules).plan.nodes.map(({ id }) => id)).toContain('distill');
});

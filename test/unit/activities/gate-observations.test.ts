/** A gate that asks for an observation which nobody makes is refused with its plan, and not at the end of its night. */
import { resolvePlan } from '../../../activities/resolve-plan.js';
import { evaluationObservations } from '../../../config/evaluate-options.js';
import { builtInStages } from '../../../plugins/built-in-stages.js';
import { defineStage } from '../../../plugins/define-stage.js';

const kinds = builtInStages.map(({ kind }) => kind);
const floor = { score: 'exact-match', atLeast: 0.6 };
const latency = (observation: string) => ({ observation, atMost: 400 });
const resolving = (file: object, known = kinds) => {
  return () =>
    resolvePlan({ name: 'nightly', store: 'file:///store', ...file }, { kinds: known, queuePrefix: 'night' });
};

const standard = (observation: string) => ({
  teacher: '/t',
  student: '/s',
  dataset: '/rows.jsonl',
  evaluation: '/held-out.jsonl',
  gates: [floor, latency(observation)],
});

const ownStages = (observation: string, evaluate: object) => ({
  gates: [floor, latency(observation)],
  stages: [
    { id: 'rows', uses: 'import', with: { dataset: '/rows.jsonl' } },
    { id: 'model', uses: 'import-model', with: { model: '/s' } },
    { id: 'evaluate', needs: ['rows', 'model'], ...evaluate },
    { id: 'gate', uses: 'gate', needs: ['model', 'evaluate'], inputs: { candidate: 'evaluate.scores' } },
  ],
});

const builtIn = { uses: 'evaluate', with: { scorers: ['exact-match'] } };

it.each(evaluationObservations)('a ceiling of %s is taken', (observation) => {
  expect(resolving(standard(observation))).not.toThrow();
  expect(resolving(ownStages(observation, builtIn))).not.toThrow();
});

it.each([
  ['a standard plan', standard('latencyP95')],
  ['a plan of own stages', ownStages('latencyP95', builtIn)],
])('one of what an evaluation does not observe is refused in %s, and the nearest is named', (_, file) => {
  expect(resolving(file)).toThrow(
    /^gates: expected observations of the evaluation \(latencyP50Ms, .*\), not latencyP95 \(nearest: latencyP95Ms\), found [^\n]*$/,
  );
});

it("one of what a stage of one's own observes is taken, unless it says what it observes", () => {
  const judgeWith = (more: { readonly knownObservations?: readonly string[] }) =>
    defineStage({
      kind: 'judge',
      version: 1,
      inputs: { model: 'model', dataset: 'dataset' },
      outputs: { scores: 'scores' },
      run: () => Promise.reject(new Error('not run here')),
      ...more,
    }).kind;
  const file = ownStages('joules', { uses: 'judge' });
  expect(resolving(file, [...kinds, judgeWith({})])).not.toThrow();
  expect(resolving(file, [...kinds, judgeWith({ knownObservations: ['joules'] })])).not.toThrow();
  expect(resolving(file, [...kinds, judgeWith({ knownObservations: ['watts'] })])).toThrow(
    'expected observations of the evaluation (watts), not joules',
  );
});

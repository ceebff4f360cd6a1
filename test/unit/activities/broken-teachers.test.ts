/** What a user gets to read when a teacher behind an endpoint is described wrongly, word for word. */
import { resolvePlan } from '../../../activities/resolve-plan.js';
import { builtInStages } from '../../../plugins/built-in-stages.js';

const rules = { kinds: builtInStages.map(({ kind }) => kind), queuePrefix: 'night' };
const standard = { name: 'nightly', store: 'file:///store', teacher: '/t', student: '/s', dataset: '/rows.jsonl' };
const terms = { licence: 'MIT', allowsTraining: 'yes' };
const endpoint = { endpoint: 'https://host/v1', model: 'large', revision: '1', terms };
const asked = { ...standard, teacher: endpoint };
const withStages = (answer: object, others: readonly object[] = []) => ({
  name: 'night',
  store: 'file:///store',
  stages: [
    { id: 'import', uses: 'import', with: { dataset: '/rows.jsonl' } },
    { id: 'answer', uses: 'answer', needs: ['import'], ...answer },
    ...others,
  ],
});
const ownStages = withStages({});
const aText = 'a value of type string';

describe('a plan whose teacher is an endpoint is refused for', () => {
  it.each<[string, unknown, string]>([
    [
      'a teacher without terms',
      { ...standard, teacher: { ...endpoint, terms: undefined } },
      'teacher.terms: expected what the terms of the teacher are: { licence, allowsTraining }, found nothing',
    ],
    [
      'a teacher whose terms allow no training',
      { ...standard, teacher: { ...endpoint, terms: { ...terms, allowsTraining: 'no' } } },
      `teacher.terms.allowsTraining: expected yes, or { approvedBy } naming who has approved it: \`no\` asks nothing, found ${aText}`,
    ],
    [
      'prompts that would travel unencrypted',
      { ...standard, teacher: { ...endpoint, endpoint: 'http://host/v1' } },
      `teacher.endpoint: expected https, or plainHttp: true where prompts may travel unencrypted, found ${aText}`,
    ],
    [
      'a teacher that is no URL',
      { ...standard, teacher: { ...endpoint, endpoint: 'host/v1' } },
      `teacher.endpoint: expected an http:// or https:// URL, found ${aText}`,
    ],
    [
      'a key in the place of its name',
      { ...standard, teacher: { ...endpoint, apiKey: 'SECRET_4711' } },
      `teacher.apiKey: expected the name by which workers know the key: 1 to 63 characters of a-z 0-9 -, found ${aText}`,
    ],
    [
      'a cap of money without prices',
      { ...asked, budget: { spendAtMostUsd: 5 } },
      'budget: expected an endpoint with prices as teacher beside it, by which spending is counted, found an object',
    ],
    [
      'a time limit that could not be kept',
      { ...standard, teacher: { ...endpoint, limits: { timeout: '5m' } } },
      'teacher.limits.timeout: expected at most 290s: a connection that is silent for five minutes is closed, found 300000',
    ],
    [
      'more money than can be counted',
      { ...asked, budget: { spendAtMostUsd: 1e9 } },
      'budget.spendAtMostUsd: expected at most 9000000, found 1000000000',
    ],
    [
      'a month that begins nowhere',
      { ...asked, budget: { spendAtMostUsd: 5, period: { every: 'month', spendAtMostUsd: 50, timeZone: 'Berlin' } } },
      `budget.period.timeZone: expected the name of a time zone such as Europe/Berlin or UTC, found ${aText}`,
    ],
    [
      'samples that would all be the same',
      { ...asked, answer: { samples: 2 } },
      'answer.samples: expected 1 at temperature 0, where every sample is the same, found 2',
    ],
    [
      'layers of a teacher behind an endpoint',
      { ...asked, student: { layers: [0] } },
      'student: expected a model directory, since the teacher is an endpoint and has no layers to give, found layers',
    ],
    [
      'distributions of a teacher behind an endpoint that nobody captures',
      { ...asked, distill: {} },
      'distill: expected none without capture beside it, since the teacher is an endpoint: it must give log-probabilities of prompts, found one',
    ],
    [
      'a temperature that no endpoint can be learned at',
      { ...asked, capture: {}, distill: { temperature: 2 } },
      'distill.temperature: expected one that is captured: 1, found 2',
    ],
    [
      'raw logits of a teacher behind an endpoint',
      { ...asked, capture: { temperatures: [2] } },
      'capture.temperatures[0]: expected 1: an endpoint gives log-probabilities, and another needs raw logits, found 2',
    ],
    [
      'other tokens than are captured',
      { ...asked, capture: { rowTokens: 64 }, distill: { rowTokens: 32 } },
      'distill.rowTokens: expected 64, as the logits are captured with, found 32',
    ],
    [
      'answers of a directory without terms',
      { ...standard, answer: {} },
      'teacher: expected { model, terms: { licence, allowsTraining } }, since it answers and a student learns from that, found a directory without terms',
    ],
    [
      'answers of a model in a plan of own stages that says nothing of its terms',
      {
        name: 'night',
        store: 'file:///store',
        stages: [
          { id: 'import', uses: 'import', with: { dataset: '/rows.jsonl' } },
          { id: 'model', uses: 'import-model', with: { model: '/t' } },
          { id: 'answer', uses: 'answer', needs: ['import', 'model'], inputs: { teacher: 'model.model' } },
        ],
      },
      'teacher: expected { model, terms: { licence, allowsTraining } }, since it answers and a student learns from that, found nothing',
    ],
    [
      'a directory whose terms allow no training',
      { ...standard, teacher: { model: '/t', terms: { ...terms, allowsTraining: 'no' } } },
      `teacher.terms.allowsTraining: expected yes, or { approvedBy } naming who has approved it: \`no\` asks nothing, found ${aText}`,
    ],
    [
      'a directory with terms that are missing',
      { ...standard, teacher: { model: '/t' } },
      'teacher.terms: expected what the terms of the teacher are: { licence, allowsTraining }, found nothing',
    ],
    [
      'a directory with a misspelt part',
      { ...standard, teacher: { model: '/t', term: terms } },
      'teacher.terms: expected what the terms of the teacher are: { licence, allowsTraining }, found nothing\nteacher.term: expected a known key (nearest: terms), found one that is not known here',
    ],
    [
      'money where the teacher is a directory',
      { ...standard, answer: {}, budget: { spendAtMostUsd: 1 } },
      'budget: expected an endpoint with prices as teacher beside it, by which spending is counted, found an object',
    ],
    [
      'the context of an endpoint',
      { ...asked, answer: { context: 512 } },
      'answer.context: expected none: an endpoint has its own, found 512',
    ],
    [
      'a teacher that is an endpoint and a model',
      {
        name: 'night',
        store: 'file:///store',
        stages: [
          { id: 'import', uses: 'import', with: { dataset: '/rows.jsonl' } },
          { id: 'model', uses: 'import-model', with: { model: '/t' } },
          {
            id: 'answer',
            uses: 'answer',
            needs: ['import', 'model'],
            inputs: { teacher: 'model.model' },
            with: { teacher: endpoint },
          },
        ],
      },
      'stages[2].with.teacher: expected an endpoint or the input teacher, not both, found an object',
    ],
    [
      'canaries that no stage asks',
      { ...ownStages, teacher: { ...endpoint, canary: { prompts: ['Who are you?'] } } },
      'teacher.canary: expected a stage canary that asks them, found none in this plan',
    ],
    [
      'canaries of a teacher that is given to one stage, and not to the one that asks them',
      {
        ...withStages({ with: { teacher: { ...endpoint, canary: { prompts: ['Who are you?'] } } } }, [
          {
            id: 'canary',
            uses: 'canary',
            with: { teacher: { ...endpoint, model: 'other', canary: { prompts: ['a'] } } },
          },
        ]),
      },
      'stages[1].with.teacher.canary: expected a stage canary that asks them, found none in this plan',
    ],
    [
      'canaries that nobody asks again after',
      {
        ...withStages({}, [{ id: 'canary', uses: 'canary' }]),
        teacher: { ...endpoint, canary: { prompts: ['Who are you?'], onDrift: 'ask-again' } },
      },
      'teacher.canary.onDrift: expected a stage answer with the input identity from the stage canary, which then asks anew, found none in this plan',
    ],
    [
      'canaries that are drawn, and would ask everything anew each night',
      {
        ...standard,
        teacher: {
          ...endpoint,
          omittedFields: ['temperature'],
          canary: { prompts: ['Who are you?'], onDrift: 'ask-again' },
        },
      },
      'teacher.canary.onDrift: expected report: answers without the field temperature differ by chance, and everything would be asked anew each time, found a value of type string',
    ],
    ...[
      ['temperature', 'temperature', 1],
      ['top_p', 'topP', 0.5],
      ['seed', 'seed', 7],
    ].map(([field, option, value]): [string, unknown, string] => [
      `${option} of requests that leave ${field} out`,
      { ...asked, teacher: { ...endpoint, omittedFields: [field] }, answer: { [String(option)]: value } },
      `answer.${option}: expected none: requests to this teacher leave it out (omittedFields), found ${value}`,
    ]),
    [
      'a field without which there is no request',
      { ...standard, teacher: { ...endpoint, omittedFields: ['messages'] } },
      `teacher.omittedFields[0]: expected one of temperature, top_p, seed, n, found ${aText}`,
    ],
    [
      'an age of answers where none are asked for',
      {
        name: 'night',
        store: 'file:///store',
        teacher: { ...endpoint, maxAge: '30d', canary: { prompts: ['Who are you?'] } },
        stages: [{ id: 'canary', uses: 'canary' }],
      },
      'teacher.maxAge: expected a stage answer that asks again, found none in this plan',
    ],
    [
      'an age that is not in days',
      { ...asked, teacher: { ...endpoint, maxAge: '2h' } },
      `teacher.maxAge: expected a number of days such as 30d, found ${aText}`,
    ],
    [
      'an age of answers that a model on this machine gives',
      { ...standard, answer: { answersSince: '2026-11-27' } },
      'answer.answersSince: expected none: the answers of a model on a machine of yours do not age, found a value of type string',
    ],
    [
      'no teacher at all',
      {
        name: 'night',
        store: 'file:///store',
        stages: [
          { id: 'import', uses: 'import', with: { dataset: '/rows.jsonl' } },
          { id: 'answer', uses: 'answer', needs: ['import'] },
        ],
      },
      'stages[1].inputs: expected the input teacher, found none',
    ],
  ])('%s', (_, content, message) => {
    expect(() => resolvePlan(content, rules)).toThrow(expect.objectContaining({ code: 'plan-invalid', message }));
    expect(message).not.toMatch(/SECRET/);
  });
});

import type { NumericsInput, PlanFileInput, ScheduleInput, StageOfFileInput } from '../../../client/index.js';
import type { TeacherInput } from '../../../config/plan-file.js';
import { teacherEndpointSchema } from '../../../config/teacher-schema.js';
import { planFileSchema } from '../../../config/plan-schema.js';

describe('the types of a plan file', () => {
  const numerics: Required<NumericsInput> = {
    runner: 'wasm',
    tensorflow: '2.21.0',
    xla: false,
    precision: 'float32',
    threads: 1,
  };
  const stage: Required<StageOfFileInput> = {
    id: 'import',
    uses: 'import',
    needs: [],
    inputs: { dataset: 'other.dataset' },
    with: { dataset: '/rows.jsonl' },
    timeouts: { startToCloseMs: 1000, heartbeatMs: 1000 },
    retry: { initialIntervalMs: 1000, backoffCoefficient: 2, maximumIntervalMs: 1000 },
  };
  const schedule: ScheduleInput = {
    calendar: { minute: 0, hour: [3, 4], dayOfMonth: 1, month: [1, 7], dayOfWeek: 'monday' },
    timeZone: 'Europe/Berlin',
    jitter: 600_000,
    catchUp: 3_600_000,
  };
  const file: Required<PlanFileInput> = {
    name: 'nightly',
    store: 'file:///store',
    teacher: 'file:///teacher',
    student: { layers: { every: 2 } },
    dataset: 'file:///rows.jsonl',
    evaluation: 'file:///held-out.jsonl',
    answer: { samples: 2 },
    'answer-evaluation': false,
    'fine-tune': { epochs: 2 },
    capture: { k: 10 },
    distill: { temperature: 2 },
    control: true,
    evaluate: { scorers: ['exact-match'] },
    reproduction: 200,
    promote: { licence: 'Apache-2.0' },
    numerics,
    onFailure: 'finish-others',
    loseAtMost: 300_000,
    onDifferentMachine: 'wait',
    budget: { spendAtMostUsd: 5, period: { every: 'month', spendAtMostUsd: 50, timeZone: 'UTC', name: 'team' } },
    gates: [{ score: 'exact-match', atLeast: 0.5 }],
    schedule,
    stages: [stage],
  };

  const teacher: Required<TeacherInput> = {
    endpoint: 'https://teacher/v1',
    model: 'large',
    revision: '1',
    servedAs: 'larger',
    tokenLimitField: 'max_completion_tokens',
    omittedFields: ['temperature'],
    apiKey: 'teacher-key',
    plainHttp: true,
    terms: { licence: 'MIT', allowsTraining: 'yes' },
    prices: { inputUsdPerMillion: 1, outputUsdPerMillion: 2, asOf: '2026-11-27' },
    limits: { parallel: 1, requestsPerMinute: 2, tokensPerMinute: 3, timeout: 1000, attempts: 1 },
    canary: { prompts: ['Who are you?'], maximumTokens: 9, onDrift: 'report' },
    maxAge: '30d',
  };

  it('say what the check of a file takes, field by field', () => {
    expect(planFileSchema.parse(file)).toMatchObject(file);
    expect(Object.keys(file).sort()).toEqual(Object.keys(planFileSchema.shape).sort());
    expect(planFileSchema.parse({ ...file, teacher })).toMatchObject({ teacher });
    const { terms } = teacher;
    const inDirectory: PlanFileInput = { ...file, teacher: { model: 'file:///teacher', terms } };
    expect(planFileSchema.parse(inDirectory)).toMatchObject({ teacher: { terms } });
    expect(Object.keys(teacher).sort()).toEqual(Object.keys(teacherEndpointSchema.shape).sort());
  });
});

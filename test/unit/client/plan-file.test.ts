import type { NumericsInput, PlanFileInput, ScheduleInput, StageOfFileInput } from '../../../client/index.js';
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
    budget: { spendAtMostUsd: 5 },
    gates: [{ score: 'exact-match', atLeast: 0.5 }],
    schedule,
    stages: [stage],
  };

  it('say what the check of a file takes, field by field', () => {
    expect(planFileSchema.parse(file)).toMatchObject(file);
    expect(Object.keys(file).sort()).toEqual(Object.keys(planFileSchema.shape).sort());
  });
});

import type { NumericsInput, PlanFileInput, StageOfFileInput } from '../../../client/index.js';
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
  const file: Required<PlanFileInput> = {
    name: 'nightly',
    store: 'file:///store',
    teacher: '/teacher',
    student: { layers: { every: 2 } },
    dataset: '/rows.jsonl',
    evaluation: '/held-out.jsonl',
    numerics,
    onFailure: 'finish-others',
    loseAtMost: '5m',
    onDifferentMachine: 'wait',
    stages: [stage],
  };

  it('say what the check of a file takes, field by field', () => {
    expect(planFileSchema.parse(file)).toMatchObject(file);
    expect(Object.keys(file).sort()).toEqual(Object.keys(planFileSchema.shape).sort());
  });
});

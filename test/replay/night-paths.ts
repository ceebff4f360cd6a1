/** The paths of nights that measure, decide and promote: what a gate and a person may say, and what a budget does. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { approve, promoteModel, reject, type RunHandle } from '../../client/index.js';
import type { Json } from '../../storage/index.js';
import { describedTeacher, planOfAnswers, promptLines } from '../support/answers.js';
import { questionOf } from '../support/asked.js';
import { CountingTeacher } from '../support/counting-teacher.js';
import { conversationLines, copyModel, type ModelName } from '../support/model-fixtures.js';
import { promotionPlan } from '../support/promotion-plan.js';
import { smallPlan } from '../support/small-night.js';
import { recordingDirectory, settled, type Path, type Recording } from './path.js';

/** Any student passes, and no champion need be measured for it. */
const passes: Json[] = [{ score: 'exact-match', atLeast: 0, minItems: 1 }];
const fails: Json[] = [{ score: 'exact-match', atLeast: 0.9, minItems: 1 }];

function fileOf(name: string, content: string): string {
  mkdirSync(recordingDirectory, { recursive: true });
  const path = join(recordingDirectory, name);
  writeFileSync(path, content);
  return path;
}

async function modelAt(name: ModelName): Promise<string> {
  const path = join(recordingDirectory, name);
  mkdirSync(recordingDirectory, { recursive: true });
  return existsSync(path) ? path : copyModel(name, recordingDirectory);
}

async function nightOf({ store, runId }: Recording, gates: readonly Json[], within?: string): Promise<Json> {
  const dataset = fileOf('held-out.jsonl', conversationLines(4));
  const promote = within === undefined ? {} : { promote: { approval: { within } } };
  return promotionPlan({ name: runId, store, dataset, model: await modelAt('qwen3-qknorm'), gates, ...promote });
}

/** A machine that is busy records the same. */
const withinMs = 600_000;

/** With a worker that measures, which the other paths must not have. */
const withGpu =
  (take: Path['take']): Path['take'] =>
  async (recording) => {
    const worker = await recording.night.addWorker('gpu');
    try {
      await take(recording);
    } finally {
      await worker.stop();
    }
  };

const asking = async (recording: Recording): Promise<RunHandle> =>
  recording.night.start(recording.runId, await nightOf(recording, passes, '1h'));

export const nightPaths: Readonly<Record<string, Path>> = {
  'gate-fail': {
    shows: 'a gate says no, and the run completes without a promotion',
    ends: 'COMPLETED',
    take: withGpu(async (recording) => {
      await (await recording.night.start(recording.runId, await nightOf(recording, fails))).result();
    }),
  },
  'unchanged-night': {
    shows: 'a night in which nothing has changed: the gate finds nothing to decide, and nothing after it is looked up',
    ends: 'COMPLETED',
    take: withGpu(async (recording) => {
      const { night, runId } = recording;
      const file = await nightOf(recording, passes);
      for (const id of [`${runId}-1`, `${runId}-2`, runId]) await (await night.start(id, file)).result();
    }),
  },
  approval: {
    shows: 'a person approves the student that passed its gate',
    ends: 'COMPLETED',
    holds: 'WORKFLOW_EXECUTION_UPDATE_COMPLETED',
    take: withGpu(async (recording) => {
      const handle = await asking(recording);
      await approve(handle, { seen: await questionOf(handle), by: 'alice', reason: 'the scores hold', withinMs });
      await handle.result();
    }),
  },
  'approval-refused': {
    shows: 'a person rejects the student, and the run completes without a promotion',
    ends: 'COMPLETED',
    holds: 'WORKFLOW_EXECUTION_UPDATE_COMPLETED',
    take: withGpu(async (recording) => {
      const handle = await asking(recording);
      await reject(handle, { seen: await questionOf(handle), by: 'bob', withinMs });
      await handle.result();
    }),
  },
  'approval-timeout': {
    shows: 'nobody decides in time, and the run completes without a promotion',
    ends: 'COMPLETED',
    holds: 'TIMER_FIRED',
    take: withGpu(async (recording) => {
      await (await recording.night.start(recording.runId, await nightOf(recording, passes, '1s'))).result();
    }),
  },
  'approval-cancel': {
    shows: 'the run is cancelled while it waits for a person',
    ends: 'CANCELED',
    holds: 'TIMER_CANCELED',
    take: withGpu(async (recording) => {
      const handle = await asking(recording);
      await questionOf(handle);
      await handle.cancel();
      await settled(handle);
    }),
  },
  'approval-anew': {
    shows: 'the champion moves while the run waits: the plan is followed anew, and the person is asked anew',
    ends: 'COMPLETED',
    holds: 'ACTIVITY_TASK_FAILED',
    take: withGpu(async (recording) => {
      const { night, store, runId } = recording;
      const model = await modelAt('qwen2-gqa-tied');
      const rival = smallPlan(store, [{ id: 'rival', uses: 'import-model', with: { model } }]);
      const { nodes } = await (await night.start(`${runId}-rival`, rival)).result();
      const handle = await asking(recording);
      const before = await questionOf(handle);
      const digest = nodes['rival']?.outputs['model']?.digest ?? '';
      await promoteModel({ store, name: runId, digest, reason: 'by hand' });
      await approve(handle, { seen: before, by: 'alice', withinMs });
      await approve(handle, { seen: await questionOf(handle, before), by: 'alice', withinMs });
      await handle.result();
    }),
  },
  'budget-exhausted': {
    shows: 'a teacher costs more than the budget allows: its stage fails, and what needs it is skipped',
    ends: 'FAILED',
    take: async ({ night, store, runId }) => {
      const teacher = await CountingTeacher.start();
      try {
        const prices = { inputUsdPerMillion: 1, outputUsdPerMillion: 2, asOf: '2026-11-27' };
        const file = planOfAnswers({
          store,
          dataset: fileOf('prompts.jsonl', promptLines(40)),
          teacher: { ...describedTeacher, endpoint: teacher.endpoint, prices, limits: { parallel: 2 } },
          answer: { maximumTokens: 20 },
          top: { budget: { spendAtMostUsd: 0.0008 } },
        });
        await settled(await night.start(runId, file));
      } finally {
        await teacher.stop();
      }
    },
  },
};

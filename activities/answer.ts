/** The work of the stage `answer` with a teacher behind an endpoint: requests are asked and recorded, and the record becomes a dataset. */
import type { AnswerOptions } from '../config/answer-options.js';
import type { Progress } from '../config/child-protocol.js';
import { NightstillError } from '../config/errors.js';
import {
  answerPrompts,
  confirmScoring,
  fromUsd,
  openProbedClient,
  scoringCost,
  sumOf,
  toUsd,
  type NanoUsd,
} from '../distillation/index.js';
import type { StageContext, StageProduct } from './stage.js';
import { callsOf, driftIn, openStageLedger } from './stage-ledger.js';
import { teacherKey } from './teacher-key.js';

type AnswerContext = StageContext<AnswerOptions, { readonly dataset: string; readonly identity: `${string}?` }>;

export async function answer(
  context: AnswerContext,
): Promise<StageProduct<{ readonly dataset: string; readonly answers: string }>> {
  const { options, inputs, runId, store, writer, progress, signal } = context;
  const { teacher, budget, scoring } = options;
  if (teacher === undefined)
    throw new NightstillError('plan-invalid', 'expected the endpoint of a teacher, found none');
  const apiKey = teacherKey(teacher);
  const client = openProbedClient(teacher, apiKey);
  const drift = await driftIn(store, inputs.identity);
  const ledger = await openStageLedger(store, { teacher, runId, writer, budget });
  let durable: Progress['durable'];
  try {
    const { dataset, answers, summary, speed } = await answerPrompts({
      store,
      writer,
      dataset: inputs.dataset,
      options,
      teacher,
      drift,
      client,
      ledger,
      signal,
      beforeCalls: scoring && ((means) => confirmScoring({ teacher, apiKey, drift, needs: scoring }, means)),
      onProgress(phase, facts) {
        // Every response is durable once it is recorded.
        if (phase === 'ask' && facts.done) durable = { step: facts.done, fence: writer.fence };
        progress({ phase, facts, ...(durable && { durable }) });
      },
    });
    const { spentUsd: spentOnAnswers, fates, ...counted } = summary;
    const spentOnScoring = await scoringCost({ teacher, drift, needs: scoring ?? [] }, ledger);
    const spentUsd = sumOfUsd(spentOnAnswers, spentOnScoring) ?? 'not given';
    const { endpoint, model, revision, prices = 'not given' } = teacher;
    const seen = await client.seen();
    const capabilities = seen ? { ...seen, ...(scoring && { scoring }) } : 'nothing was asked';
    return {
      outputs: { dataset, answers },
      facts: {
        requests: fates,
        rows: dataset.rows ?? 0,
        teacher: { endpoint, model, revision, ...(drift !== null && { drift }) },
      },
      observations: { ...counted, ...speed, capabilities, spentUsd, prices, calls: callsOf(await ledger.report()) },
    };
  } finally {
    await ledger.close();
  }
}

/** Undefined where one is not known. */
const sumOfUsd = (usd: number | undefined, more: NanoUsd | undefined): number | undefined =>
  usd === undefined || more === undefined ? undefined : toUsd(sumOf([fromUsd(usd), more]));

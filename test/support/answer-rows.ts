/** The work of the stage `answer` without its activity: some prompts, a teacher that counts, and what became of each request. */
import { answerOptions } from '../../config/answer-options.js';
import type { Progress } from '../../config/child-protocol.js';
import { AnsweringProgress } from '../../distillation/answering/progress.js';
import { openProbedClient } from '../../distillation/index.js';
import { openLedger } from '../../distillation/responses/index.js';
import { answerPrompts, type AnsweredPrompts } from '../../distillation/teachers/answer-prompts.js';
import { claim, stageKeyOf } from './stage.js';
import type { TeacherAndStore } from './teacher-and-store.js';

export interface RowsToAnswer {
  /** Prompts `question 0` and so on. */
  readonly rows: number;
  /** Of the teacher. */
  readonly limits?: object;
  readonly minimumYield?: number;
  readonly send?: (progress: Progress) => void;
}

export async function answerRows(
  { place: { store }, server }: TeacherAndStore,
  { rows, limits = {}, send = () => undefined, ...further }: RowsToAnswer,
): Promise<AnsweredPrompts> {
  const writer = await claim(store, stageKeyOf('answers'));
  const lines = Array.from({ length: rows }, (_, row) => {
    const messages = [{ role: 'user', content: `question ${row}` }];
    return `${JSON.stringify({ id: `q${row}`, messages })}\n`;
  });
  const part = { ...(await writer.putBlob(Buffer.from(lines.join('')))), rows };
  const meta = { format: 'nightstill-messages-1' };
  const dataset = await writer.putArtifact({ kind: 'dataset', parts: [part], meta });
  const terms = { licence: 'MIT', allowsTraining: 'yes' };
  const asked = { endpoint: server.endpoint, model: 'large', revision: '1', terms, limits };
  const options = answerOptions.parse({ teacher: asked, ...further });
  const teacher = options.teacher!;
  const ledger = await openLedger(store, {
    teacher,
    runId: 'one',
    holder: { stage: writer.stageKey, fence: writer.fence },
  });
  const { signal } = new AbortController();
  const progress = new AnsweringProgress(send, { stop: signal, fence: writer.fence });
  const client = openProbedClient(teacher, undefined);
  const { counted: onProgress } = progress;
  try {
    return await answerPrompts({ store, writer, dataset, options, teacher, client, ledger, signal, onProgress });
  } finally {
    await ledger.close();
  }
}

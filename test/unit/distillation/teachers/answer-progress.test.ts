/** What answering tells whoever watches: everything that is done, with its count, so that silence means that nothing is. */
import { answerOptions } from '../../../../config/answer-options.js';
import { showsWork, type Progress } from '../../../../config/child-protocol.js';
import { openProbedClient } from '../../../../distillation/index.js';
import { AnsweringProgress } from '../../../../distillation/answering/progress.js';
import { openLedger } from '../../../../distillation/responses/index.js';
import { answerPrompts } from '../../../../distillation/teachers/answer-prompts.js';
import { claim, stageKeyOf } from '../../../support/stage.js';
import { teacherAndStore } from '../../../support/teacher-and-store.js';

const rows = 5;
const here = teacherAndStore('once');

async function answer(send: (progress: Progress) => void): Promise<void> {
  const { store } = here.place;
  const writer = await claim(store, stageKeyOf('answers'));
  const lines = Array.from({ length: rows }, (_, row) => {
    const messages = [{ role: 'user', content: `question ${row}` }];
    return `${JSON.stringify({ id: `q${row}`, messages })}\n`;
  });
  const part = { ...(await writer.putBlob(Buffer.from(lines.join('')))), rows };
  const dataset = await writer.putArtifact({
    kind: 'dataset',
    parts: [part],
    meta: { format: 'nightstill-messages-1' },
  });
  const options = answerOptions.parse({
    teacher: {
      endpoint: here.server.endpoint,
      model: 'large',
      revision: '1',
      terms: { licence: 'MIT', allowsTraining: 'yes' },
    },
  });
  const teacher = options.teacher!;
  const holder = { stage: writer.stageKey, fence: writer.fence };
  const ledger = await openLedger(store, { teacher, runId: 'one', holder });
  const { signal } = new AbortController();
  const progress = new AnsweringProgress(send, { stop: signal, fence: writer.fence });
  await answerPrompts({
    store,
    writer,
    dataset,
    options,
    teacher,
    client: openProbedClient(teacher, undefined),
    ledger,
    signal,
    onProgress: progress.counted,
  });
  await ledger.close();
}

it('every answer that is asked for, moved into a shard and put into the dataset is told, and each telling shows work', async () => {
  const told: Progress[] = [];
  await answer((progress) => told.push(progress));
  const counts = (phase: string): (number | undefined)[] =>
    told.filter((progress) => progress.phase === phase).map(({ facts }) => facts?.done);
  expect(counts('ask')).toEqual([1, 2, 3, 4, 5]);
  // Told when it begins, when each is read and when each has gone.
  expect(counts('compact')).toEqual([undefined, ...Array<number>(rows).fill(0), 1, 2, 3, 4, 5]);
  expect(counts('assemble')).toEqual([1, 2, 3, 4, 5]);
  told.forEach((progress, at) => expect(showsWork(told[at - 1], progress)).toBe(true));
  expect(told.at(-1)).toMatchObject({ phase: 'assemble', facts: { of: rows }, durable: { step: rows, fence: 1 } });
});

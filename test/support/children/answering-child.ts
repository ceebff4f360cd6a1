/** A program that does the work of the stage `answer` as an io worker does, and prints what came of it. Its one parameter is an `AnsweringTask` as JSON. */
import { writeSync } from 'node:fs';
import { answer } from '../../../activities/answer.js';
import { answerOptions } from '../../../config/answer-options.js';
import { asNightstillError } from '../../../config/errors.js';
import { openObjectStore, type ObjectStore } from '../../../storage/index.js';
import type { AnsweringTask } from '../answering-process.js';
import { killedAt } from '../asking-kill.js';
import { claim, stageKeyOf } from '../stage.js';

async function work(store: ObjectStore, task: AnsweringTask): Promise<object> {
  const writer = await claim(store, stageKeyOf('answer'), task.attempt);
  const { observations } = await answer({
    options: answerOptions.parse(task.options),
    inputs: { dataset: task.dataset, identity: undefined },
    makers: {},
    preimage: {},
    runId: 'one',
    store,
    writer,
    progress: () => undefined,
    signal: new AbortController().signal,
  });
  return { observations };
}

const task: AnsweringTask = JSON.parse(process.argv[2] ?? '');
const store = await openObjectStore(task.url, { forWriting: true });
const end = await work(killedAt(store, task.point), task).catch((error: unknown) => ({
  code: asNightstillError(error).code,
}));
writeSync(1, `${JSON.stringify(end)}\n`);
await store.close();

/**
 * The recipe of the teacher: a model of 2.7 million weights, trained from scratch on questions about the shop and their SQL.
 * A second call with the same folder goes on where the first one stopped, however it stopped.
 *
 *   npm run setup && npm run build
 *   node dist/examples/sql/train-teacher.js /tmp/teacher            # ends with /tmp/teacher/model
 *
 * `teacher-data.ts` prepares questions, tokenizer and shards; `teacher-process.ts` trains. Accuracy is measured on validation
 * questions, whose structures are as new as those of the test and none of them.
 */
import { fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { processSettings } from '../../engine/index.js';
import { writeTeacherData } from './teacher-data.js';
import type { TeacherJob } from './teacher-job.js';

async function prepare(folder: string, count: number): Promise<void> {
  const parts = join(folder, 'data-unfinished');
  await rm(parts, { recursive: true, force: true });
  const { questions, tokens } = await writeTeacherData(parts, count);
  console.log(`${questions} questions, ${tokens} tokens`);
  await rename(parts, join(folder, 'data'));
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    questions: { type: 'string', default: '60000' },
    steps: { type: 'string', default: '1200' },
    'save-every': { type: 'string', default: '200' },
    'evaluate-every': { type: 'string', default: '600' },
    seed: { type: 'string', default: '1' },
    threads: { type: 'string', default: '1' },
  },
});
const [folder] = positionals;
if (folder === undefined) throw new Error('expected a folder to train in: train-teacher.js <folder>');
await mkdir(folder, { recursive: true });
if (!existsSync(join(folder, 'data'))) await prepare(folder, Number(values.questions));

const threads = Number(values.threads);
const job: TeacherJob = {
  folder,
  steps: Number(values.steps),
  saveEvery: Number(values['save-every']),
  evaluateEvery: Number(values['evaluate-every']),
  seed: Number(values.seed),
  threads,
};
const child = fork(join(import.meta.dirname, 'teacher-process.js'), [JSON.stringify(job)], {
  env: { ...process.env, ...processSettings({ threads }) },
});
process.exitCode = await new Promise<number>((resolve) => child.once('exit', (code) => resolve(code ?? 1)));

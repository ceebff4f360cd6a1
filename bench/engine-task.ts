/** One measurement of the engine in a process of its own: a task and options as the argument, one line of JSON as the answer. */
import {
  answer,
  type EngineOptions,
  type GenerateTask,
  type Measurement,
  type ScoreTask,
  type Task,
} from './engine-measurement.js';
import { train } from './engine-train.js';

/** To become `engine-generate.ts` beside `engine-train.ts`. */
const generate = (_task: GenerateTask, _options: EngineOptions): Promise<Measurement> =>
  Promise.reject(new Error('the engine has no generation yet'));

/** To become `engine-score.ts` beside `engine-train.ts`. */
const score = (_task: ScoreTask, _options: EngineOptions): Promise<Measurement> =>
  Promise.reject(new Error('the engine has no scoring yet'));

function measure(task: Task, options: EngineOptions): Promise<Measurement> {
  switch (task.work) {
    case 'train':
      return train(task, options);
    case 'generate':
      return generate(task, options);
    case 'score':
      return score(task, options);
  }
}

const [task, options] = JSON.parse(process.argv[2] ?? '') as [Task, EngineOptions];
answer(await measure(task, options));

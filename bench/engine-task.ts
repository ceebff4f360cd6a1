/** One measurement of the engine in a process of its own: a task and options as the argument, one line of JSON as the answer. */
import { answer, type EngineOptions, type Measurement, type Task } from './engine-measurement.js';
import { capture } from './engine-capture.js';
import { generate } from './engine-generate.js';
import { score } from './engine-score.js';
import { train } from './engine-train.js';

function measure(task: Task, options: EngineOptions): Promise<Measurement> {
  switch (task.work) {
    case 'train':
      return train(task, options);
    case 'generate':
      return generate(task, options);
    case 'capture':
      return capture(task, options);
    case 'score':
      return score(task, options);
  }
}

const [task, options] = JSON.parse(process.argv[2] ?? '') as [Task, EngineOptions];
answer(await measure(task, options));

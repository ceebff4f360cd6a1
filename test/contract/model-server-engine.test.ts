/** The process that computes for a model server, asked as the server asks it. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { FromEngine, ToEngine } from '../../workers/model-server/engine-protocol.js';
import { modelDirectory } from '../support/model-directories.js';
import { compiledPath } from '../support/processes.js';

test('the score of a prompt that was cancelled before its turn is not computed', async () => {
  const child = fork(compiledPath('workers/model-server/engine-child.js'), [], { serialization: 'advanced' });
  const tell = (message: ToEngine) => child.send(message);
  const answers: FromEngine[] = [];
  child.on('message', (message: FromEngine) => void answers.push(message));
  try {
    const directory = modelDirectory('qwen3-qknorm');
    tell({ type: 'load', job: { directory, runner: 'wasm', threads: 1, slots: 1, capacity: 64 } });
    await once(child, 'message');
    child.kill('SIGSTOP');
    for (const id of [1, 2, 3, 4]) tell({ type: 'score', id, prompt: Int32Array.of(40, 500, id) });
    for (const id of [2, 3]) tell({ type: 'cancel', id });
    child.kill('SIGCONT');
    while (answers.length < 3) await once(child, 'message');
    expect(answers.map((answer) => [answer.type, 'id' in answer ? answer.id : undefined])).toEqual([
      ['ready', undefined],
      ['scored', 1],
      ['scored', 4],
    ]);
  } finally {
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }
});

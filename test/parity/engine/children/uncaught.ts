/** Computes on wasm and then fails without anyone catching it. */
import { compile } from '../../../../engine/compile.js';
import { idsAt, runnerOf, state, training } from './small-training.js';

const session = await compile({ runner: runnerOf('wasm', '', ''), state, programs: { train: training(false) } });
session.run('train', { ids: idsAt(0, 7), labels: idsAt(0, 3) });
setImmediate(() => {
  throw new Error('a plain defect');
});

import { replaceRows } from '../../../../engine/kernels/replace-rows.js';
import { rewrite } from '../../../../engine/passes/rewrite.js';
import { compile } from '../../../../engine/compile.js';
import { kernelsRunner } from '../../../../engine/runners/kernels.js';
import { tf } from '../../../../engine/tf.js';
import type { Tensors } from '../../../../engine/tracing/tensors.js';
import { trace, type ProgramFunction } from '../../../../engine/tracing/trace.js';

const state = { cache: { shape: [4, 2], dtype: 'float32' }, other: { shape: [4, 2], dtype: 'float32' } } as const;
const inputs = { rows: { shape: [1], dtype: 'int32' }, values: { shape: [1, 2], dtype: 'float32' } } as const;

const of = (tensors: Tensors, name: string): tf.Tensor => tensors[name] ?? tf.scalar(NaN);
const square = (cache: tf.Tensor): tf.Tensor => tf.matMul(cache, cache, false, true);

/** One replacement, and what is made of the old and the new content. */
const program =
  (make: (old: tf.Tensor, fresh: tf.Tensor, current: Tensors) => ReturnType<ProgramFunction>): ProgramFunction =>
  (current, fed) => {
    const old = of(current, 'cache');
    return make(old, replaceRows(old, of(fed, 'rows').as1D(), of(fed, 'values')), current);
  };

const programs: readonly [string, boolean, ProgramFunction][] = [
  ['the new content is read', true, program((_, cache) => ({ outputs: { read: square(cache) }, updates: { cache } }))],
  [
    'it is replaced and read under another shape',
    true,
    (current, fed) => {
      const wide = tf.reshape(of(current, 'cache'), [2, 4]);
      const rows = replaceRows(
        wide,
        tf.mod(of(fed, 'rows'), tf.scalar(2, 'int32')).as1D(),
        tf.tile(of(fed, 'values'), [1, 2]),
      );
      return { outputs: { read: square(rows) }, updates: { cache: tf.reshape(rows, [4, 2]) } };
    },
  ],
  [
    'what is put in follows from all that was read before',
    true,
    (current, fed) => {
      const row = of(fed, 'rows').as1D();
      const once = replaceRows(of(current, 'cache'), row, of(fed, 'values'));
      const sums = tf.sum(square(once), 1);
      const twice = replaceRows(once, tf.argMax(sums).as1D(), tf.reshape(tf.slice(sums, 0, 2), [1, 2]));
      return { outputs: { read: square(twice) }, updates: { cache: twice } };
    },
  ],
  [
    'the old content is read as well, perhaps later',
    false,
    program((old, cache) => ({ outputs: { read: tf.add(square(old), square(cache)) }, updates: { cache } })),
  ],
  ['the old content is handed out', false, program((old, cache) => ({ outputs: { read: old }, updates: { cache } }))],
  ['the variable keeps its content', false, program((_, cache) => ({ outputs: { read: square(cache) } }))],
  [
    'another variable gets the content too',
    false,
    program((_, cache) => ({ outputs: {}, updates: { cache, other: cache } })),
  ],
  [
    'a kernel reads it that may hand out the same memory',
    false,
    program((_, cache) => ({ outputs: { read: tf.slice(cache, [0, 0], [2, 2]) }, updates: { cache } })),
  ],
];

test.each(programs)('rows are replaced in place only where nobody can see it: %s (%p)', (_, inPlace, run) => {
  const { operations } = rewrite(trace('step', state, inputs, run));
  const replacements = operations.filter(({ kernel }) => kernel === 'ReplaceRows');
  expect(replacements.length).toBeGreaterThan(0);
  for (const { attributes } of replacements) expect(attributes['inPlace'] ?? false).toBe(inPlace);
  for (const { attributes } of rewrite(trace('step', state, inputs, run), {}, { xla: true }).operations)
    expect(attributes['inPlace']).toBeUndefined();
});

test.each(programs)('in place or not, results and state are the same: %s', async (title, _, run) => {
  const results = [];
  for (const rowsInPlace of [true, false]) {
    const runner = kernelsRunner({ backend: 'wasm' });
    const session = await compile({ runner, state, programs: { step: { inputs, run, passes: { rowsInPlace } } } });
    session.write({ cache: Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8) });
    const steps = [2, 0, 2].map((row) =>
      session.run('step', { rows: Int32Array.of(row), values: Float32Array.of(row - 1, row + 9) }),
    );
    results.push({ steps, after: session.read(['cache', 'other']) });
    session.dispose();
  }
  expect(results[0]).toEqual(results[1]);
  const kept = [...(results[0]?.after['cache'] ?? [])].join() === '1,2,3,4,5,6,7,8';
  expect(kept).toBe(title === 'the variable keeps its content');
});

/** Variables have memory of their own: neither an array of the caller nor another variable changes with one. */
import { compile } from '../../../engine/compile.js';
import { replaceRows } from '../../../engine/kernels/replace-rows.js';
import { tf } from '../../../engine/tf.js';
import { updateRows } from '../../../engine/tracing/row-update.js';
import { nativeRunner, runnersUnderTest } from './runners-under-test.js';
import { float, floats, integer, integers, sessionsOn } from './sessions.js';

describe.each(runnersUnderTest)('memory of variables on %s', (_name, makeRunner, xla) => {
  const sessionOf = sessionsOn(makeRunner, xla);

  test('variables that were given one value stay apart when rows of one are replaced in place', async () => {
    const session = await sessionOf(
      { a: float(4, 2), b: float(4, 2) },
      {
        replace: [
          { at: integer(1), row: float(1, 2) },
          ({ a }, { at, row }) => ({ outputs: {}, updates: { a: replaceRows(a!, at as tf.Tensor1D, row!) } }),
        ],
        take: [{}, ({ a }) => ({ outputs: {}, updates: { b: a! } })],
        view: [{}, ({ a }) => ({ outputs: {}, updates: { b: tf.reshape(tf.reshape(a!, [8]), [4, 2]) } })],
        both: [
          { x: float(4, 2) },
          (_, { x }) => {
            const doubled = tf.mul(x!, 2);
            return { outputs: {}, updates: { a: doubled, b: doubled } };
          },
        ],
        halves: [
          { x: float(8, 2) },
          (_, { x }) => {
            const [a, b] = tf.split(tf.mul(x!, 2), 2, 0);
            return { outputs: {}, updates: { a: a!, b: b! } };
          },
        ],
      },
    );
    const content = floats(1, 2, 3, 4, 5, 6, 7, 8);
    for (const [program, inputs] of [
      ['take', {}],
      ['view', {}],
      ['both', { x: content.map((number) => number / 2) }],
      ['halves', { x: Float32Array.from([...content, ...content], (number) => number / 2) }],
    ] as const) {
      session.write({ a: content, b: floats(0, 0, 0, 0, 0, 0, 0, 0) });
      session.run(program, inputs);
      session.run('replace', { at: integers(1), row: floats(-1, -2) });
      expect([program, session.read(['a', 'b'])]).toEqual([
        program,
        { a: floats(1, 2, -1, -2, 5, 6, 7, 8), b: content },
      ]);
    }
  });

  test('arrays that were passed in stay the caller’s: a session neither follows nor changes them', async () => {
    const session = await sessionOf(
      { weight: float(32, 4) },
      {
        shift: [
          { at: integer(1), row: float(1, 4) },
          (_, { at, row }) => ({ outputs: {}, updates: { weight: updateRows(at as tf.Tensor1D, row!) } }),
        ],
      },
    );
    // One of sixteen neighbouring views begins where TensorFlow would take the array's own memory.
    const memory = new Float32Array(128 + 16);
    for (let offset = 0; offset < 16; offset++) {
      memory.fill(1);
      const view = memory.subarray(offset, offset + 128);
      session.write({ weight: view });
      session.run('shift', { at: integers(0), row: floats(2, 2, 2, 2) });
      expect([...view.subarray(0, 5)]).toEqual([1, 1, 1, 1, 1]);
      memory.fill(3);
      expect(session.readRows('weight', 0, 2)).toEqual(floats(2, 2, 2, 2, 1, 1, 1, 1));
    }
  });
});

test('variables stay apart as well where XLA gave them one value and a graph replaces rows', async () => {
  const session = await compile({
    runner: await nativeRunner(),
    state: { a: float(2, 2), b: float(2, 2) },
    programs: {
      take: { xla: true, inputs: {}, run: ({ a }) => ({ outputs: {}, updates: { b: a! } }) },
      both: {
        xla: true,
        inputs: { x: float(2, 2) },
        run: (_, { x }) => {
          const doubled = tf.mul(x!, 2);
          return { outputs: {}, updates: { a: doubled, b: doubled } };
        },
      },
      replace: {
        inputs: { at: integer(1), row: float(1, 2) },
        run: ({ a }, { at, row }) => ({ outputs: {}, updates: { a: replaceRows(a!, at as tf.Tensor1D, row!) } }),
      },
    },
  });
  const row = { at: integers(1), row: floats(-1, -2) };
  session.write({ a: floats(1, 2, 3, 4) });
  session.run('take', {});
  session.run('replace', row);
  expect(session.read(['b'])).toEqual({ b: floats(1, 2, 3, 4) });
  session.run('both', { x: floats(5, 6, 7, 8) });
  session.run('replace', row);
  expect(session.read(['a', 'b'])).toEqual({ a: floats(10, 12, -1, -2), b: floats(10, 12, 14, 16) });
  session.dispose();
});

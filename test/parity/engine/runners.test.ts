/** What a program may do with its inputs, outputs and variables, and what a session refuses: the same in every runner. */
import { compile } from '../../../engine/compile.js';
import { tf } from '../../../engine/tf.js';
import { updateRows } from '../../../engine/tracing/row-update.js';
import { nativeRunner, runnersUnderTest } from './runners-under-test.js';
import { float, floats, integer, integers, sessionsOn, type Programs } from './sessions.js';

describe.each(runnersUnderTest)('programs on %s', (_name, makeRunner, xla) => {
  const sessionOf = sessionsOn(makeRunner, xla);

  test('an input and a variable can be outputs as they are, and one tensor can be two outputs', async () => {
    const session = await sessionOf(
      { weight: float(2) },
      {
        pass: [
          { x: float(2), ids: integer(3), mask: { shape: [2], dtype: 'bool' } },
          ({ weight }, { x, ids, mask }) => {
            const sum = tf.add(x!, weight!);
            return { outputs: { x: x!, ids: ids!, mask: mask!, weight: weight!, sum, again: sum } };
          },
        ],
      },
    );
    session.write({ weight: floats(1, 2) });
    const outputs = session.run('pass', { x: floats(3, 4), ids: integers(7, 8, 9), mask: Uint8Array.of(1, 0) });
    expect(outputs).toEqual({
      x: floats(3, 4),
      ids: integers(7, 8, 9),
      mask: Uint8Array.of(1, 0),
      weight: floats(1, 2),
      sum: floats(4, 6),
      again: floats(4, 6),
    });
  });

  test('variables can swap their values, share one, and take an input as it is', async () => {
    const session = await sessionOf(
      { a: float(2), b: float(2), c: float(2), d: float(2) },
      {
        swap: [{}, ({ a, b }) => ({ outputs: {}, updates: { a: b!, b: a! } })],
        share: [{ x: float(2) }, (_, { x }) => ({ outputs: {}, updates: { a: tf.neg(x!), c: x!, d: x! } })],
        both: [
          {},
          ({ c }) => {
            const doubled = tf.mul(c!, 2);
            return { outputs: { doubled }, updates: { a: doubled, b: doubled } };
          },
        ],
        grow: [{}, ({ a, c }) => ({ outputs: {}, updates: { a: tf.add(a!, 1), c: tf.mul(c!, 10) } })],
      },
    );
    session.write({ a: floats(1, 2), b: floats(3, 4) });
    session.run('swap', {});
    expect(session.read(['a', 'b'])).toEqual({ a: floats(3, 4), b: floats(1, 2) });
    // One of sixteen neighbouring views begins where TensorFlow would take the array's own memory.
    for (let offset = 0; offset < 16; offset++) {
      const fed = new Float32Array(32).subarray(offset, offset + 2);
      fed.set([5, 6]);
      session.run('share', { x: fed });
      fed.fill(99);
      expect(session.read(['c', 'd'])).toEqual({ c: floats(5, 6), d: floats(5, 6) });
    }
    expect(session.read(['a', 'c', 'd'])).toEqual({ a: floats(-5, -6), c: floats(5, 6), d: floats(5, 6) });
    expect(session.run('both', {})).toEqual({ doubled: floats(10, 12) });
    session.run('grow', {});
    expect(session.read(['a', 'b', 'c', 'd'])).toEqual({
      a: floats(11, 13),
      b: floats(10, 12),
      c: floats(50, 60),
      d: floats(5, 6),
    });
  });

  test('outputs show variables as they were before the call, and a program may read none, update none, or hand out none', async () => {
    const session = await sessionOf(
      { count: integer(), unread: float(3) },
      {
        count: [
          {},
          ({ count }) => ({ outputs: { before: count! }, updates: { count: tf.add(count!, tf.scalar(1, 'int32')) } }),
        ],
        write: [{ x: float(3) }, (_, { x }) => ({ outputs: {}, updates: { unread: tf.square(x!) } })],
        idle: [{ x: float(3) }, () => ({ outputs: {} })],
        constant: [{}, () => ({ outputs: { seven: tf.scalar(7, 'int32') } })],
      },
    );
    expect(session.run('count', {})).toEqual({ before: integers(0) });
    expect(session.run('count', {})).toEqual({ before: integers(1) });
    expect(session.run('write', { x: floats(1, 2, 3) })).toEqual({});
    expect(session.run('idle', { x: floats(1, 2, 3) })).toEqual({});
    expect(session.run('constant', {})).toEqual({ seven: integers(7) });
    expect(session.read(['unread', 'count'])).toEqual({ unread: floats(1, 4, 9), count: integers(2) });
  });

  test('rows written in place are seen by every later read; what was read before them stays as it was', async () => {
    const session = await sessionOf(
      { cache: float(4, 2), copy: float(4, 2), at: integer(1) },
      {
        append: [
          { row: float(1, 2) },
          ({ cache, at }, { row }) => ({
            outputs: { before: tf.sum(cache!) },
            updates: {
              cache: updateRows(at as tf.Tensor1D, row!),
              at: tf.add(at!, tf.scalar(1, 'int32')),
              copy: cache!,
            },
          }),
        ],
        sum: [{}, ({ cache }) => ({ outputs: { rows: tf.sum(cache!, 1) } })],
        shift: [{}, ({ cache }) => ({ outputs: {}, updates: { cache: tf.add(cache!, 1) } })],
        rewrite: [
          { at: integer(2), rows: float(2, 2) },
          (_, { at, rows }) => ({ outputs: {}, updates: { cache: updateRows(at as tf.Tensor1D, rows!) } }),
        ],
      },
    );
    expect(session.run('append', { row: floats(1, 2) })).toEqual({ before: floats(0) });
    expect(session.run('append', { row: floats(3, 4) })).toEqual({ before: floats(3) });
    expect(session.read(['cache', 'copy', 'at'])).toEqual({
      cache: floats(1, 2, 3, 4, 0, 0, 0, 0),
      copy: floats(1, 2, 0, 0, 0, 0, 0, 0),
      at: integers(2),
    });
    session.run('shift', {});
    expect(session.run('sum', {})).toEqual({ rows: floats(5, 9, 2, 2) });
    session.run('rewrite', { at: integers(3, 0), rows: floats(7, 7, 8, 8) });
    expect(session.run('sum', {})).toEqual({ rows: floats(16, 9, 2, 14) });
    expect(session.read(['copy'])).toEqual({ copy: floats(1, 2, 0, 0, 0, 0, 0, 0) });
    session.write({ cache: floats(1, 1, 1, 1, 1, 1, 1, 1) });
    session.run('append', { row: floats(5, 5) });
    expect(session.read(['cache'])).toEqual({ cache: floats(1, 1, 1, 1, 5, 5, 1, 1) });
  });

  test('numbers are refused unless they fit, and nothing has happened then', async () => {
    const session = await sessionOf(
      { weight: float(2), count: integer() },
      { add: [{ x: float(2) }, ({ weight }, { x }) => ({ outputs: {}, updates: { weight: tf.add(weight!, x!) } })] },
    );
    const refused = expect.objectContaining({ code: 'program-invalid' });
    const attempts = [
      () => session.run('add', {}),
      () => session.run('add', { x: floats(1) }),
      () => session.run('add', { x: integers(1, 2) }),
      () => session.run('add', { x: floats(1, 2), y: floats(1) }),
      () => session.run('sub', { x: floats(1, 2) }),
      () => session.read(['wait']),
      () => session.read(['constructor']),
      () => session.write({ weight: floats(5, 5), wait: floats(1) }),
      () => session.write({ weight: floats(5, 5), count: floats(1) }),
      () => session.write({ weight: floats(5) }),
    ];
    for (const attempt of attempts) expect(attempt).toThrow(refused);
    expect(session.read(['weight'])).toEqual({ weight: floats(0, 0) });
    expect(() => session.run('add', { x: floats(1) })).toThrow(
      'expected input "x" of program "add" as float32[2], found Float32Array(1)',
    );
  });

  test('a session that was disposed refuses every call, and may be disposed again', async () => {
    const session = await sessionOf({ weight: float(2) }, { idle: [{}, () => ({ outputs: {} })] });
    session.dispose();
    session.dispose();
    expect(() => session.run('idle', {})).toThrow(expect.objectContaining({ code: 'program-invalid' }));
    expect(() => session.read(['weight'])).toThrow('expected a live session');
    await expect(session.load(['weight'], () => floats(1, 2))).rejects.toThrow('expected a live session');
  });

  test('a tensor from outside is a constant of the program and stays usable where it was', async () => {
    await tf.setBackend('cpu');
    const outside = tf.tensor1d([1, 2]);
    const session = await sessionOf(
      {},
      {
        add: [{ x: float(2) }, (_, { x }) => ({ outputs: { sum: tf.add(x!, outside), outside } })],
        multiply: [{ x: float(2) }, (_, { x }) => ({ outputs: { product: tf.mul(outside, x!) } })],
      },
    );
    expect(session.run('add', { x: floats(10, 10) })).toEqual({ sum: floats(11, 12), outside: floats(1, 2) });
    expect(session.run('multiply', { x: floats(10, 10) })).toEqual({ product: floats(10, 20) });
    expect([...outside.dataSync()]).toEqual([1, 2]);
    outside.dispose();
  });

  test('sessions with variables of one name share nothing', async () => {
    const programs: Programs = {
      add: [{ x: float(2) }, ({ w }, { x }) => ({ outputs: {}, updates: { w: tf.add(w!, x!) } })],
    };
    const [one, other] = [await sessionOf({ w: float(2) }, programs), await sessionOf({ w: float(2) }, programs)];
    one.write({ w: floats(1, 1) });
    other.run('add', { x: floats(5, 5) });
    expect([one.read(['w']), other.read(['w'])]).toEqual([{ w: floats(1, 1) }, { w: floats(5, 5) }]);
    one.dispose();
    expect(other.read(['w'])).toEqual({ w: floats(5, 5) });
  });
});

test('what TensorFlow refuses at run time fails with its message, and the session goes on', async () => {
  const runner = await nativeRunner();
  const session = await compile({
    runner,
    state: { w: float(2) },
    programs: {
      divide: {
        inputs: { x: integer(2) },
        run: ({ w }, { x }) => ({
          outputs: { x: tf.floorDiv(tf.scalar(6, 'int32'), x!) },
          updates: { w: tf.add(w!, 1) },
        }),
      },
    },
  });
  expect(() => session.run('divide', { x: integers(1, 0) })).toThrow(
    expect.objectContaining({ code: 'engine-failed', message: expect.stringMatching(/division by zero/i) }),
  );
  expect(session.run('divide', { x: integers(1, 2) })).toEqual({ x: integers(6, 3) });
  session.dispose();
});

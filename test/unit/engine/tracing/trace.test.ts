/** What a traced function may not do, how that is said, and that tfjs is as before afterwards. */
import { execFileSync } from 'node:child_process';
import { NightstillError } from '../../../../config/errors.js';
import { compile, type CompileOptions } from '../../../../engine/compile.js';
import { prepareBackend } from '../../../../engine/runners/kernels-backend.js';
import { kernelsRunner } from '../../../../engine/runners/kernels.js';
import { tf } from '../../../../engine/tf.js';
import { updateRows } from '../../../../engine/tracing/row-update.js';
import { trace, type ProgramFunction, type ProgramResult } from '../../../../engine/tracing/trace.js';

const inputs = { x: { shape: [2, 3], dtype: 'float32' } } as const;
const state = { w: { shape: [2, 3], dtype: 'float32' }, scale: { shape: [], dtype: 'float32' } } as const;

const traced = (run: ProgramFunction) => trace('step', state, inputs, run);
const caught = (run: ProgramFunction): unknown => {
  try {
    traced(run);
  } catch (error) {
    return error;
  }
  return undefined;
};
const failing = (code: string, message: RegExp) =>
  expect.objectContaining({ code, message: expect.stringMatching(message) });

const held = () => {
  const { numTensors, numDataBuffers } = tf.memory();
  return { backend: tf.getBackend(), numTensors, numDataBuffers };
};
let before: ReturnType<typeof held>;

beforeAll(() => prepareBackend('cpu'));
beforeEach(() => {
  before = held();
});
afterEach(() => {
  // A hook has no assertions of Jest's own.
  if (JSON.stringify(held()) !== JSON.stringify(before))
    throw new Error(`expected ${JSON.stringify(before)} as before the test, found ${JSON.stringify(held())}`);
});

function readsValue(x: tf.Tensor): number {
  return x.sum().dataSync()[0]!;
}

test('reading a value names the function and the line that read it', () => {
  expect(caught((_, { x }) => ({ outputs: { y: tf.mul(x!, readsValue(x!)) } }))).toEqual(
    failing('trace-reads-value', /trace\.test\.ts:\d+:\d+\) reads the value/),
  );
});

test('so does an asynchronous read, and printing', () => {
  const reads: ProgramFunction[] = [
    (_, { x }) => {
      void x!.data();
      return { outputs: {} };
    },
    (_, { x }) => {
      x!.print();
      return { outputs: {} };
    },
  ];
  expect(caught(reads[1]!)).toEqual(failing('trace-reads-value', /trace\.test\.ts/));
  expect(caught(reads[0]!)).toEqual(failing('trace-reads-value', /trace\.test\.ts/));
});

test('random numbers without a seed, which every call would share, name the line that draws them; those of a seed are constants', () => {
  const { random } = Math;
  const draws: ((x: tf.Tensor) => tf.Tensor)[] = [
    (x) => tf.dropout(x, 0.5),
    () => tf.randomUniform([2]),
    () => tf.randomNormal([2]),
    () => tf.truncatedNormal([2]),
    () => tf.randomGamma([2], 1),
    () => tf.rand([2], () => Math.random()),
  ];
  for (const draw of draws)
    expect(caught((_, { x }) => ({ outputs: { y: draw(x!) } }))).toEqual(
      failing('trace-reads-value', /trace\.test\.ts:\d+:\d+\)? draws random numbers .*: pass random numbers as inputs/),
    );
  expect(Math.random).toBe(random);
  const { operations } = traced((_, { x }) => ({ outputs: { y: tf.dropout(x!, 0.5, undefined, 3) } }));
  expect(operations.some(({ kernel, constant }) => kernel === 'Constant' && constant?.length === 6)).toBe(true);
});

test('a kernel that programs cannot hold names itself, the function that asked, and what there is', () => {
  function turned(x: tf.Tensor): tf.Tensor {
    return tf.reverse(x);
  }
  expect(caught((_, { x }) => ({ outputs: { y: turned(x!) } }))).toEqual(
    failing('kernel-unsupported', /"Reverse", asked for by .*trace\.test\.ts:\d+:\d+\); supported: Abs, .*ZerosLike/),
  );
});

test('an element type that a kernel cannot take is refused where it was asked for', () => {
  expect(caught((_, { x }) => ({ outputs: { y: tf.exp(tf.cast(x!, 'int32')) } }))).toEqual(
    failing('kernel-unsupported', /expected "Exp" of float32, found int32, asked for by .*trace\.test\.ts/),
  );
  expect(caught(() => ({ outputs: { y: tf.tensor1d(['a']) } }))).toEqual(
    failing('kernel-unsupported', /float32, int32 or bool, found string/),
  );
});

test('an update must fit its variable', () => {
  const refused: [ProgramFunction, RegExp][] = [
    [(_, { x }) => ({ outputs: {}, updates: { v: x! } }), /"v" as a variable of the state/],
    [
      (_, { x }) => ({ outputs: {}, updates: { w: tf.transpose(x!) } }),
      /"w" as float32\[2, 3\], found float32\[3, 2\]/,
    ],
    [(_, { x }) => ({ outputs: {}, updates: { w: tf.cast(x!, 'int32') } }), /found int32\[2, 3\]/],
    [
      (_, { x }) => ({ outputs: {}, updates: { w: updateRows(tf.tensor1d([0], 'int32'), x!) } }),
      /rows of float32\[1, 3\], found float32\[2, 3\]/,
    ],
    [
      (_, { x }) => ({ outputs: {}, updates: { w: updateRows(tf.tensor1d([0, 1]), x!) } }),
      /rows named by int32\[R\], found float32\[2\]/,
    ],
    [
      (_, { x }) => ({ outputs: {}, updates: { scale: updateRows(tf.tensor1d([0], 'int32'), x!) } }),
      /a scalar has no rows/,
    ],
  ];
  for (const [run, message] of refused) expect(caught(run)).toEqual(failing('program-invalid', message));
});

test('a function must return tensors, at once', () => {
  const anything =
    (result: unknown): ProgramFunction =>
    () =>
      result as ProgramResult;
  expect(caught(anything(Promise.resolve({ outputs: {} })))).toEqual(failing('program-invalid', /a promise/));
  expect(caught(anything({}))).toEqual(failing('program-invalid', /no outputs/));
  expect(caught(anything(undefined))).toEqual(failing('program-invalid', /no outputs/));
  expect(caught(anything({ outputs: { loss: 3 } }))).toEqual(failing('program-invalid', /"loss" that is no tensor/));
  expect(
    caught((_, { x }) => {
      const y = tf.neg(x!);
      y.dispose();
      return { outputs: { y } };
    }),
  ).toEqual(failing('program-invalid', /"y" that was disposed/));
});

describe('before anything is traced', () => {
  const float32 = (...shape: number[]) => ({ shape, dtype: 'float32' });
  const messageOf = async (options: object): Promise<string> => {
    const runner = kernelsRunner({ backend: 'cpu' });
    const whole = { state: {}, programs: {}, ...options } as unknown as Omit<CompileOptions<string>, 'runner'>;
    const error: unknown = await compile({ runner, ...whole }).catch((thrown: unknown) => thrown);
    return error instanceof NightstillError ? `${error.code}: ${error.message}` : String(error);
  };
  const run = () => ({ outputs: {} });

  test('shapes are fixed, of variables without a program too', async () => {
    for (const length of [-1, 1.5, NaN]) {
      expect(await messageOf({ state: { a: float32(length) } })).toContain(
        `variable "a" of a fixed shape, found float32[${length}]`,
      );
      const programs = { step: { inputs: { x: float32(2, length) }, run } };
      expect(await messageOf({ programs })).toContain(
        `program "step" to have the input "x" of a fixed shape, found float32[2, ${length}]`,
      );
    }
    expect(await messageOf({ state: { a: { dtype: 'float32' } } })).toContain(
      'variable "a" of a fixed shape, found {"dtype":"float32"}',
    );
    expect(await messageOf({ state: { a: undefined } })).toContain('variable "a" of a fixed shape, found undefined');
  });

  test('element types are those that programs know, and so is a precision', async () => {
    const half = { shape: [2], dtype: 'float16' };
    expect(await messageOf({ state: { a: half } })).toContain('variable "a" of float32, int32, bool, found float16[2]');
    expect(await messageOf({ programs: { step: { inputs: { x: half }, run } } })).toContain(
      'the input "x" of float32, int32, bool',
    );
    expect(await messageOf({ state: { a: { shape: [2] } } })).toContain('found undefined[2]');
    expect(await messageOf({ programs: { step: { inputs: {}, run, precision: 'float16' } } })).toContain(
      'program "step" in float32 or bfloat16, found float16',
    );
  });
});

test('a trace that fails half-way, be it inside a gradient, leaves neither tensors nor its backend behind', () => {
  const failure = new Error('half-way');
  const run: ProgramFunction = ({ w }, { x }) => {
    const { grads } = tf.valueAndGrads((weight: tf.Tensor) => {
      const product = tf.softmax(tf.matMul(x!, tf.exp(weight), false, true));
      if (product.rank === 2) throw failure;
      return tf.sum(product);
    })([w!]);
    return { outputs: { slope: grads[0]! } };
  };
  expect(caught(run)).toBe(failure);
  const [slope] = tf.tidy(() => [
    ...tf
      .grad((x: tf.Tensor) => tf.sum(tf.square(x)))(tf.tensor1d([3]))
      .dataSync(),
  ]);
  expect(slope).toBe(6);
});

test('a program cannot be compiled while another is traced', async () => {
  let inner: Promise<unknown> = Promise.resolve();
  const runner = kernelsRunner({ backend: 'cpu' });
  traced((_, { x }) => {
    inner = compile({ runner, state: {}, programs: { inner: { inputs, run: () => ({ outputs: {} }) } } });
    inner.catch(() => undefined);
    return { outputs: { x: x! } };
  });
  await expect(inner).rejects.toEqual(failing('program-invalid', /compiles another while one is traced/));
});

test('a tensor that escaped its trace is refused by name afterwards, eagerly and in another trace', () => {
  const escaped: tf.Tensor[] = [];
  traced((_, { x }) => {
    escaped.push(tf.keep(tf.neg(x!)));
    return { outputs: {} };
  });
  const [tensor] = escaped;
  expect(() => tensor!.dataSync()).toThrow(failing('trace-reads-value', /of a trace that has ended/));
  expect(() => tf.tidy(() => tf.add(tensor!, 1))).toThrow(failing('trace-reads-value', /of a trace that has ended/));
  expect(caught((_, { x }) => ({ outputs: { y: tf.add(x!, tensor!) } }))).toEqual(
    failing('trace-reads-value', /of a trace that has ended/),
  );
  tensor!.dispose();
});

test('a captured tensor is one constant however often it is used', () => {
  const outside = tf.tensor1d([1, 2, 3]);
  const { operations } = traced((_, { x }) => ({ outputs: { y: tf.mul(tf.add(x!, outside), outside) } }));
  expect(operations.filter(({ kernel }) => kernel === 'Constant').map(({ constant }) => constant)).toEqual([
    Float32Array.of(1, 2, 3),
  ]);
  outside.dispose();
});

test('in plain Node, compiled, the line is named as well', () => {
  const program = `
    import { compile, kernelsRunner, tf } from '${new URL('../../../../dist/engine/index.js', `file://${__filename}`).href}';
    function peeks(x) { return x.dataSync()[0]; }
    const run = (_, { x }) => ({ outputs: { y: tf.mul(x, peeks(x)) } });
    const inputs = { x: { shape: [1], dtype: 'float32' } };
    await compile({ runner: kernelsRunner({ backend: 'cpu' }), state: {}, programs: { step: { inputs, run } } })
      .catch((error) => console.log(error.code, error.message));
  `;
  const printed = execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
  expect(printed).toMatch(/^trace-reads-value .*found that peeks \(.*eval1\]:3:\d+\) reads the value/);
});

/** Variables that an optimizer replaces where they lie: what else a program reads of them is what they were before. */
import { adamwUpdate } from '../../../engine/kernels/adamw.js';
import { tf } from '../../../engine/tf.js';
import { runnersUnderTest } from './runners-under-test.js';
import { float, floats, sessionsOn } from './sessions.js';

describe.each(runnersUnderTest)('updates in place on %s', (_name, makeRunner, xla) => {
  const session = sessionsOn(makeRunner, xla);

  test.each([0, 0.1])(
    'a weight and its moments are read before they change, where no gradient depends on them, with decay %d',
    async (decay) => {
      const state = { w: float(4), m: float(4), v: float(4) };
      const one = await session(state, {
        step: [
          { gradient: float(4) },
          ({ w, m, v }, { gradient }) => {
            const settings = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, decay, gradientScale: 1 };
            const scalars = { learningRate: 0.5, biasCorrection1: 0.1, biasCorrection2: 0.01 };
            const apply = tf.scalar(true, 'bool');
            const [newW, newM, newV] = adamwUpdate(w!, m!, v!, gradient!, { ...settings, ...scalars, apply });
            const outputs = { w: tf.add(tf.sqrt(tf.exp(w!)), 0), m: tf.neg(m!), v: tf.neg(v!) };
            return { outputs, updates: { w: newW, m: newM, v: newV } };
          },
        ],
      });
      one.write({ w: floats(0, 0, 0, 0), m: floats(1, 2, 3, 4), v: floats(5, 6, 7, 8) });
      const { w, m, v } = one.run('step', { gradient: floats(1, 1, 1, 1) });
      expect([w, m, v]).toEqual([floats(1, 1, 1, 1), floats(-1, -2, -3, -4), floats(-5, -6, -7, -8)]);
      expect(one.read(['w'])['w']).not.toEqual(floats(0, 0, 0, 0));
    },
  );

  test('weights of one program have learning rates and decay rates of their own', async () => {
    const names = ['w1', 'm1', 'v1', 'w2', 'm2', 'v2'];
    const one = await session(Object.fromEntries(names.map((name) => [name, float(1)])), {
      step: [
        { gradient: float(1) },
        ({ w1, m1, v1, w2, m2, v2 }, { gradient }) => {
          const apply = tf.scalar(true, 'bool');
          const settings = { beta2: 0.99, epsilon: 0, decay: 0, gradientScale: 1, biasCorrection2: 0.01, apply };
          const first = { ...settings, beta1: 0.5, learningRate: 1, biasCorrection1: 0.5 };
          const second = { ...settings, beta1: 0.75, learningRate: 2, biasCorrection1: 0.25 };
          const [newW1, newM1, newV1] = adamwUpdate(w1!, m1!, v1!, gradient!, first);
          const [newW2, newM2, newV2] = adamwUpdate(w2!, m2!, v2!, gradient!, second);
          const updates = { w1: newW1, m1: newM1, v1: newV1, w2: newW2, m2: newM2, v2: newV2 };
          return { outputs: {}, updates };
        },
      ],
    });
    one.run('step', { gradient: floats(1) });
    const found = one.read(['w1', 'm1', 'w2', 'm2']);
    expect(found['m1']![0]).toBeCloseTo(0.5, 5);
    expect(found['m2']![0]).toBeCloseTo(0.25, 5);
    expect(found['w1']![0]).toBeCloseTo(-1, 4);
    expect(found['w2']![0]).toBeCloseTo(-2, 4);
  });
});

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
});

/** A plain function of tensors as a program: the line through points, found by gradient descent. `node dist/examples/engine/compile.js` */
import { compile, kernelsRunner, tf } from '../../engine/index.js';

const float = (...shape: number[]) => ({ shape, dtype: 'float32' }) as const;
const session = await compile({
  runner: kernelsRunner({ backend: 'wasm' }), // or tensorflowRunner: the same program, natively
  state: { line: float(1, 2) },
  programs: {
    descend: {
      inputs: { points: float(4, 2), heights: float(4, 1) },
      run({ line }, { points, heights }) {
        const error = (w: tf.Tensor) => tf.mean(tf.squaredDifference(tf.matMul(points!, w, false, true), heights!));
        const { value, grad } = tf.valueAndGrad(error)(line!);
        return { outputs: { error: value }, updates: { line: tf.sub(line!, tf.mul(grad, 0.1)) } };
      },
    },
  },
});
const points = Float32Array.of(0, 1, 1, 1, 2, 1, 3, 1); // x and 1
const heights = Float32Array.of(-1, 1, 3, 5); // 2x − 1
for (let step = 0; step < 300; step++) session.run('descend', { points, heights });
console.log(session.read(['line'])); // { line: Float32Array(2) [ 2, -1 ] }, nearly
session.dispose();

/** What becomes of a run that another machine began: fingerprints as the runners make them, of two machines and two environments. */
import { inexactResumes, kernelsRunner, processSettings, repeatsItsBits } from '../../../../engine/index.js';
import { describeProcessor } from '../../../../engine/runners/processor.js';
import { fingerprintOf } from '../../../../engine/runners/tensorflow.js';
import { tf } from '../../../../engine/tf.js';
import { nvidiaDriver } from '../../../support/nvidia-driver.js';

const build = '6f1ad0c1b2e3f405';
/** In states of before builds of one release, releases of V8 and devices were told apart. */
const old = { runner: 'tensorflow', tensorflow: '2.21.0', threads: 2, processor: describeProcessor() };
/** That of `tensorflowRunner` on a machine without a GPU. */
const processor = fingerprintOf({ version: '2.21.0', build, usesGpu: false }, 2, processSettings({ threads: 2 }));
/** That of `tensorflowRunner` on a machine with a GPU. */
const gpu = (model: string, flags: Record<string, string> = {}) =>
  fingerprintOf({ version: '2.21.0', build, usesGpu: true }, 2, flags, nvidiaDriver(model));
const [a100, h100] = [gpu('NVIDIA A100-SXM4-40GB'), gpu('NVIDIA H100 80GB HBM3')];

const begun = {
  before: a100,
  onDifferentMachine: 'continue',
  at: 7,
  did: 'trained until step 7',
  resumedInexactlyAt: [3],
} as const;
const waiting = { ...begun, onDifferentMachine: 'wait' } as const;

it('a machine that computes the same bits adds no place at which a run went on with other bits', () => {
  expect(inexactResumes({ ...waiting, now: gpu('NVIDIA A100-SXM4-40GB') })).toEqual([3]);
});

it.each([
  ['another model of the GPU', h100],
  ['a processor instead of the GPU', processor],
  ['another build of the same release', { ...a100, build: '0123456789abcdef' }],
  ['another release of V8', { ...a100, v8: '0.1' }],
  ['another flag', gpu('NVIDIA A100-SXM4-40GB', { NVIDIA_TF32_OVERRIDE: '0' })],
  ['another runner', kernelsRunner({ backend: 'wasm' }).fingerprint],
])('another machine adds its place to those of before: %s', (_, now) => {
  expect(inexactResumes({ ...begun, now })).toEqual([3, 7]);
});

it('a run that waits for its own kind of machine says what differs', () => {
  expect(() => inexactResumes({ ...waiting, now: h100 })).toThrow(
    expect.objectContaining({
      code: 'machine-differs',
      message:
        'expected a machine that computes the bits of the one that trained until step 7, found device: NVIDIA A100-SXM4-40GB → NVIDIA H100 80GB HBM3',
    }),
  );
});

it('a state of before devices were recorded is that of an unknown GPU', () => {
  expect(inexactResumes({ ...begun, before: { ...old, gpu: true }, now: a100 })).toEqual([3, 7]);
});

it.each([
  ['on a processor', { ...old, gpu: false }, processor],
  [
    'with the kernels of wasm',
    { runner: 'kernels wasm', tensorflow: tf.version_core },
    kernelsRunner({ backend: 'wasm' }).fingerprint,
  ],
])('a state of before builds, V8 and architectures were recorded goes on exactly: %s', (_, before, now) => {
  expect(inexactResumes({ ...waiting, before, now })).toEqual([3]);
  expect(inexactResumes({ ...begun, before, now: { ...now, precision: 'bfloat16' } })).toEqual([3, 7]);
});

it('a machine that lacks what a state recorded is another one', () => {
  expect(inexactResumes({ ...begun, before: processor, now: { ...old, gpu: false } })).toEqual([3, 7]);
});

it.each([
  ['on a processor', processor, true],
  ['with the kernels of wasm', kernelsRunner({ backend: 'wasm' }).fingerprint, true],
  ['on a GPU', a100, false],
  ['on a GPU that is told otherwise', gpu('NVIDIA A100-SXM4-40GB', { TF_DETERMINISTIC_OPS: '0' }), false],
  ['on a GPU that is told to keep to one order', gpu('NVIDIA A100-SXM4-40GB', { TF_DETERMINISTIC_OPS: '1' }), true],
])('two executions have the same bits, or may not: %s', (_, fingerprint, repeats) => {
  expect(repeatsItsBits(fingerprint)).toBe(repeats);
});

/** Answers are recorded by who gave them: what asks a model on this machine anew, and what does not. */
import { tensorflowRelease, type Numerics } from '../../../../config/numerics.js';
import { localTeacher } from '../../../../distillation/answering/local-teacher.js';
import { digestOf, type ArtifactRef } from '../../../../storage/index.js';

const weights: ArtifactRef = {
  kind: 'model',
  digest: digestOf('weights'),
  uri: 'artifacts/a',
  bytes: 1,
  indexBytes: 1,
};
const numerics: Numerics = {
  runner: 'tensorflow',
  tensorflow: tensorflowRelease,
  xla: true,
  precision: 'float32',
  threads: 4,
};
const endpointOf = (changes: Partial<Numerics> = {}, sequences = 8): string =>
  localTeacher(weights, { capacity: 2048, sequences }, { ...numerics, ...changes }).endpoint;

it('a plan that trains in another precision is answered from the record: answers are computed in float32', () => {
  expect(endpointOf({ precision: 'bfloat16' })).toBe(endpointOf());
});

it('whatever changes the bits of an answer asks anew', () => {
  const others = [
    endpointOf({ threads: 2 }),
    endpointOf({ xla: false }),
    endpointOf({ runner: 'wasm' }),
    endpointOf({}, 4),
  ];
  expect(new Set([endpointOf(), ...others]).size).toBe(5);
});

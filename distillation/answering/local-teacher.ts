/**
 * Who a model on this machine is, as a teacher whose answers are recorded like those of an endpoint: what the answers depend on. The
 * weights stand for the revision, and how they are computed for the endpoint. Answers are computed in float32, whatever
 * precision the plan trains in. How many requests are sent at once changes nothing: those beyond what is written at once wait.
 */
import type { Numerics } from '../../config/numerics.js';
import { teacherEndpointSchema, type AskedTeacher } from '../../config/teacher-schema.js';
import { promptShapesUpTo, type ChatModel } from '../../engine/index.js';
import { canonicalJson, digestOf, hexOf, type ArtifactRef } from '../../storage/index.js';

export function localTeacher(
  weights: ArtifactRef,
  { capacity, sequences }: Pick<ChatModel, 'capacity' | 'sequences'>,
  numerics: Numerics,
): AskedTeacher {
  const computed = {
    numerics: { ...numerics, precision: 'float32' },
    capacity,
    sequences,
    ...promptShapesUpTo(capacity, sequences),
  };
  return {
    endpoint: `engine:${hexOf(digestOf(canonicalJson(computed)))}`,
    model: 'teacher',
    revision: weights.digest,
    tokenLimitField: 'max_tokens',
    omittedFields: [],
    prices: { inputUsdPerMillion: 0, outputUsdPerMillion: 0, asOf: 'on a machine of our own' },
    limits: { ...teacherEndpointSchema.shape.limits.parse({}), parallel: 2 * sequences },
  };
}

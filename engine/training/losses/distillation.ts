/**
 * The losses a stage can ask for, as configuration: cross-entropy alone, a divergence from the teacher alone, or
 * α·CE + (1−α)·F·divergence, where F is T² or 1 as the configuration says.
 *
 * The gradient of a softened divergence shrinks like 1/T²; with F = T² (Hinton et al. 2015, §2) α means the same at every
 * temperature. Toolkits differ silently in this, so it has no default here.
 */
import { NightstillError } from '../../../config/errors.js';
import { tf } from '../../tf.js';
import { crossEntropy, type LabelTargets } from './cross-entropy.js';
import { denseDivergence, type DenseTeacherTargets } from './dense-teacher.js';
import { canonical, type Divergence } from './divergence.js';
import type { LogitLoss, LossAndGradient } from './loss.js';
import { checkMissingMass, type MissingMass } from './missing-mass.js';
import { overPrefix } from './shared-prefix.js';
import { topKDivergence, type TopKTeacherTargets } from './top-k-teacher.js';

export interface DistillationSettings {
  readonly divergence: Divergence;
  /** Above 0; divides the logits of teacher and student. */
  readonly temperature: number;
  /** Is the divergence multiplied by T²? */
  readonly timesTemperatureSquared: boolean;
  /** α, the share of cross-entropy, 0 … 1. At 0 no cross-entropy is computed, at 1 no divergence. */
  readonly crossEntropyShare: number;
}

export interface TopKDistillationSettings extends DistillationSettings {
  /** 'tail-bucket' when absent. */
  readonly missingMass?: MissingMass;
  /** Of the teacher. Where the student has more ids, both are compared over these. Absent: as many as the student. */
  readonly teacherVocabularySize?: number;
}

/**
 * Against stored top-k targets. Parts: crossEntropy, divergence (without T² and α).
 * @throws training-setting-invalid
 */
export function topKDistillation({
  missingMass = 'tail-bucket',
  teacherVocabularySize = Infinity,
  ...settings
}: TopKDistillationSettings): LogitLoss<TopKTeacherTargets> {
  checkMissingMass(settings.divergence, missingMass);
  const { divergence, temperature } = settings;
  return mixed(settings, (logits_NV, targets) =>
    overPrefix(Math.min(logits_NV.shape[1], teacherVocabularySize), logits_NV, (logits_NS) =>
      topKDivergence({ divergence, temperature, missingMass }, logits_NS, targets),
    ),
  );
}

/**
 * Against the logits of a teacher. Parts as above.
 * @throws training-setting-invalid
 */
export function denseDistillation(settings: DistillationSettings): LogitLoss<DenseTeacherTargets & LabelTargets> {
  const { divergence, temperature } = settings;
  return mixed(settings, (logits_NV, targets) => denseDivergence(divergence, temperature, logits_NV, targets));
}

function mixed<T extends LabelTargets>(settings: DistillationSettings, fromTeacher: LogitLoss<T>): LogitLoss<T> {
  checkSettings(settings);
  const { crossEntropyShare, temperature, timesTemperatureSquared } = settings;
  const factor = (1 - crossEntropyShare) * (timesTemperatureSquared ? temperature * temperature : 1);
  if (crossEntropyShare === 1) return crossEntropy;
  if (crossEntropyShare === 0) return (logits_NV, targets) => times(factor, fromTeacher(logits_NV, targets));
  return (logits_NV, targets) => {
    const ofLabels = times(crossEntropyShare, crossEntropy(logits_NV, targets));
    const ofTeacher = times(factor, fromTeacher(logits_NV, targets));
    return {
      values_N: tf.add(ofLabels.values_N, ofTeacher.values_N),
      gradient_NV: tf.add(ofLabels.gradient_NV, ofTeacher.gradient_NV),
      parts: { ...ofLabels.parts, ...ofTeacher.parts },
    };
  };
}

const times = (factor: number, { values_N, gradient_NV, parts }: LossAndGradient): LossAndGradient =>
  factor === 1
    ? { values_N, gradient_NV, parts }
    : { values_N: tf.mul(values_N, factor), gradient_NV: tf.mul(gradient_NV, factor), parts };

function checkSettings({ divergence, temperature, crossEntropyShare }: DistillationSettings): void {
  canonical(divergence);
  if (!(temperature > 0 && Number.isFinite(temperature)))
    throw new NightstillError('training-setting-invalid', `temperature must be above 0, not ${temperature}.`);
  if (!(crossEntropyShare >= 0 && crossEntropyShare <= 1))
    throw new NightstillError(
      'training-setting-invalid',
      `crossEntropyShare must be between 0 and 1, not ${crossEntropyShare}.`,
    );
}

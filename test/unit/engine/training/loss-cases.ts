/** Losses whose values and gradients torch has computed in float64, and how each is computed here. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crossEntropy } from '../../../../engine/training/losses/cross-entropy.js';
import { denseDistillation, topKDistillation } from '../../../../engine/training/losses/distillation.js';
import type { Divergence } from '../../../../engine/training/losses/divergence.js';
import type { LogitLoss, Targets } from '../../../../engine/training/losses/loss.js';
import type { MissingMass } from '../../../../engine/training/losses/missing-mass.js';
import { tf } from '../../../../engine/tf.js';
import { tokenLosses } from '../../../support/losses.js';

export interface LossCase {
  readonly loss: 'cross-entropy' | 'dense' | 'top-k';
  readonly divergence: Divergence;
  readonly temperature: number;
  readonly missingMass: MissingMass;
  readonly against: 'teacher' | 'wideTeacher';
  readonly values: number[];
  readonly gradient: number[][];
}

interface Stored {
  readonly temperature: number;
  readonly ids: number[][];
  readonly logProbabilities: number[][];
  readonly missingMass: number[];
}

export interface Scene {
  readonly name: string;
  readonly student: number[][];
  readonly teacher: number[][];
  readonly wideTeacher: number[][];
  readonly labels: number[];
  readonly stored: Stored[];
  readonly cases: LossCase[];
}

export const scenes: Scene[] = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../../fixtures/gradients/losses.json'), 'utf8'),
);

export const describeCase = ({ loss, divergence, temperature, missingMass, against }: LossCase) =>
  [loss, JSON.stringify(divergence), temperature, missingMass, against].filter((part) => part !== undefined).join(' ');

export function valuesAndGradient<T extends Targets>(loss: LogitLoss<T>, logits: tf.Tensor2D, targets: T) {
  const values = tokenLosses(loss, logits, targets).values_N;
  const gradient = tf.grad((z) => tf.sum(tokenLosses(loss, z as tf.Tensor2D, targets).values_N))(logits);
  return { values, gradient };
}

/** @param student the logits of the scene's student. */
export function runCase(scene: Scene, reference: LossCase, student: tf.Tensor2D) {
  const labels_N = tf.tensor1d(scene.labels, 'int32');
  if (reference.loss === 'cross-entropy') return valuesAndGradient(crossEntropy, student, { labels_N });
  const settings = { ...reference, timesTemperatureSquared: false, crossEntropyShare: 0 };
  if (reference.loss === 'dense') {
    const teacherLogits_NW = tf.tensor2d(scene[reference.against]);
    return valuesAndGradient(denseDistillation(settings), student, { labels_N, teacherLogits_NW });
  }
  const stored = scene.stored.find(({ temperature }) => temperature === reference.temperature)!;
  return valuesAndGradient(topKDistillation(settings), student, {
    labels_N,
    ids_NK: tf.tensor2d(stored.ids, undefined, 'int32'),
    logProbabilities_NK: tf.tensor2d(stored.logProbabilities),
    missingMass_N: tf.tensor1d(stored.missingMass),
  });
}

/** A teacher whose distributions were captured before: what they must have in common with the student, and the lesson they give. */
import { NightstillError } from '../../config/errors.js';
import type { DistillOptions } from '../../config/training-options.js';
import { topKObjective } from '../../engine/index.js';
import type { ArtifactRef } from '../../storage/index.js';
import { openLogits } from '../logits/index.js';
import { confirmDivergence } from './divergence-check.js';
import type { Lesson, LessonRequest } from './lesson.js';
import { distillationSettings } from './teacher.js';

/**
 * @throws teacher-mismatch when they were captured with another tokenizer; logits-invalid when the temperature of the loss was not
 *   captured; in the lesson, when they lack a sample or are about other tokens
 */
export async function storedTeacherLesson(
  options: DistillOptions,
  artifact: ArtifactRef,
  { store, tokenizer, vocabularySize, cacheDirectory, alive }: LessonRequest,
): Promise<Lesson> {
  const { temperature, missingMass } = options;
  const logits = await openLogits(store, artifact, cacheDirectory, { vocabularySize, onRead: alive });
  try {
    if (logits.tokenizerDigest !== tokenizer.digest)
      throw new NightstillError(
        'teacher-mismatch',
        `expected logits of the tokenizer of the student (digest ${tokenizer.digest}), found those of one with digest ${logits.tokenizerDigest}`,
      );
    if (!logits.temperatures.includes(temperature))
      throw new NightstillError(
        'logits-invalid',
        `temperature: expected one that was captured (${logits.temperatures.join(', ')}), found ${temperature}`,
      );
    return {
      objective: topKObjective(
        { ...distillationSettings(options), missingMass, teacherVocabularySize: logits.vocabularySize },
        logits.k,
      ),
      extra: (batch) => logits.extra(batch, temperature),
      confirm: (samples) => logits.confirm(samples, alive),
      check: (step) => confirmDivergence(step, missingMass),
      close: () => logits.close(),
    };
  } catch (error) {
    await logits.close();
    throw error;
  }
}

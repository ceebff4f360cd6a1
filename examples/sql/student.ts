/** The student's shape: less than a quarter of the teacher's weights. `student/` is what `train-base.ts` made of it. */
import { join } from 'node:path';
import type { ModelConfig } from '../../engine/index.js';
import { packageRoot } from '../../tools/package-root.js';

export const teacherDirectory = join(packageRoot(), 'examples', 'sql', 'teacher');

export const studentConfig = (teacher: ModelConfig): ModelConfig => ({
  ...teacher,
  hiddenSize: 128,
  intermediateSize: 256,
  layers: 3,
  heads: 4,
  keyValueHeads: 2,
});

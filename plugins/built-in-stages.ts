/** The stages that come with nightstill, by capability. */
import type { Stage } from '../activities/stage.js';
import { answerStage } from './answer-stage.js';
import { captureStage } from './capture-stage.js';
import { distillStage } from './distill-stage.js';
import { evaluateStage } from './evaluate-stage.js';
import { fineTuneStage } from './fine-tune-stage.js';
import { gateStage } from './gate-stage.js';
import { importModelStage } from './import-model-stage.js';
import { importStage } from './import-stage.js';
import { promoteStage } from './promote-stage.js';

export const importStages: readonly Stage[] = [importStage, importModelStage, answerStage];
export const trainingStages: readonly Stage[] = [fineTuneStage, captureStage, distillStage];
export const evaluationStages: readonly Stage[] = [evaluateStage];
export const promotionStages: readonly Stage[] = [gateStage, promoteStage];
export const builtInStages: readonly Stage[] = [
  ...importStages,
  ...trainingStages,
  ...evaluationStages,
  ...promotionStages,
];

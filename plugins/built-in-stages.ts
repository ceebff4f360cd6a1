/** The stages that come with nightstill, by capability; those that measure know the scorers that a worker is configured with. */
import type { Stage } from '../activities/stage.js';
import type { ScorerModule } from '../config/scorer-module.js';
import { answerStage } from './answer-stage.js';
import { canaryStage } from './canary-stage.js';
import { captureEndpointStage } from './capture-endpoint-stage.js';
import { captureStage } from './capture-stage.js';
import { distillStage } from './distill-stage.js';
import { evaluateStageWith } from './evaluate-stage.js';
import { fineTuneStage } from './fine-tune-stage.js';
import { gateStage } from './gate-stage.js';
import { importModelStage } from './import-model-stage.js';
import { importStage } from './import-stage.js';
import { promoteStage } from './promote-stage.js';

export const importStages: readonly Stage[] = [
  importStage,
  importModelStage,
  canaryStage,
  answerStage,
  captureEndpointStage,
];
/** A teacher that is a model computes where others train. */
export const trainingStages: readonly Stage[] = [answerStage, fineTuneStage, captureStage, distillStage];
export const evaluationStagesWith = (scorers?: ScorerModule): readonly Stage[] => [evaluateStageWith(scorers)];
export const promotionStages: readonly Stage[] = [gateStage, promoteStage];
export const builtInStagesWith = (scorers?: ScorerModule): readonly Stage[] => [
  ...new Set([...importStages, ...trainingStages, ...evaluationStagesWith(scorers), ...promotionStages]),
];
export const builtInStages: readonly Stage[] = builtInStagesWith();

/** Answering with a model on this machine, as a stage. It loads the engine: light workers import `distillation` and not this. */
export { answerStage } from './answer-stage.js';

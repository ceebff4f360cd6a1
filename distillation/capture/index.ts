/** Capturing a teacher as a stage. It loads the engine: light workers import `distillation` and not this. */
export { captureStage } from './capture-stage.js';

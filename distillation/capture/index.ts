/** Capturing a teacher as a stage. It loads the engine: light workers import `distillation` and not this. */
export { captureEndpoint } from './capture-endpoint.js';
export { captureStage } from './capture-stage.js';

/** Training as a stage. It loads the engine: light workers import `distillation` and not this. */
export { trainStage } from './train-stage.js';

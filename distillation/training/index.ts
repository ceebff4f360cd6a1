/** Training as a stage. It loads the engine: light workers import `distillation` and not this. */
export { trainStage, type TrainingJob, type TrainingPlace } from './train-stage.js';

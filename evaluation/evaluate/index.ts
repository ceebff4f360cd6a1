/** Evaluating a model as a stage. It loads the engine: light workers import `evaluation` and not this. */
export { evaluateAnswers } from './evaluate-answers.js';
export { evaluateStage } from './evaluate-stage.js';

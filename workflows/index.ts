/** What an orchestrator's bundle exports: `nightstill/workflow`. */
export { distill } from './distill.js';
export { nightly } from './nightly.js';

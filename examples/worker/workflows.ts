/** The workflows of your worker: those of nightstill, beside your own. Without `nightly` a schedule starts nothing. */
export { distill, nightly } from 'nightstill/workflow';

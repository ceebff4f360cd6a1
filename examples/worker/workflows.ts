/** The workflows of your worker: those of nightstill, beside your own. */
export { distill } from 'nightstill/workflow';

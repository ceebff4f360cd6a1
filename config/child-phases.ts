/**
 * What the programs of stages do, one thing after another. In each the parent bears silence for some time, so that a limit for a
 * phase that is missing or misspelt does not compile. Pure types.
 */

/** `start` ends with the first message. */
type Claimed = 'start' | 'open' | 'claim' | 'seal';
type Computing = Claimed | 'waiting for cores' | 'load' | 'compile' | 'restore';

interface PhasesOf {
  readonly importer: Claimed | 'read';
  readonly trainer: Computing | 'train' | 'evaluate';
  readonly capturer: Computing | 'capture';
  readonly asker: Claimed | 'load' | 'restore' | 'capture' | 'compact';
  readonly evaluator: Computing | 'diverge' | 'evaluate';
  readonly answerer: Computing | 'ask' | 'compact' | 'assemble';
}

/** Programs that do a stage's work in a process of their own. */
export type ProgramName = keyof PhasesOf;

export type ChildPhase<Program extends ProgramName = ProgramName> = PhasesOf[Program];

/** Milliseconds that a program may be silent in each of its phases. */
export type SilenceLimitsOf<Program extends ProgramName> = Readonly<Record<ChildPhase<Program>, number>>;

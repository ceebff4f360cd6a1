/**
 * Scorers of a user's own, as everybody knows them who does not run them: where their module lies on this machine, and which scorers
 * of which version it has. A worker is configured with it. A plan is data and names a scorer; it never names a module.
 */
export type ScorerVersions = Readonly<Record<string, number>>;

export interface ScorerModule {
  /** Absolute path. */
  readonly module: string;
  /** By the id that a plan names. */
  readonly versions: ScorerVersions;
}

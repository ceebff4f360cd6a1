/**
 * The shape of everything set-up brings: a part has an ordered list of sources, and the first that has it wins.
 * A source that only looks is quick, touches no network and changes nothing; a source that works may fetch and build for
 * minutes. Every source that cannot give the part says why in one line. Nothing here prints: progress goes to a reporter.
 */
import type { Environment, Variables } from '../config/environment.js';
import { CommandFailure } from './command.js';
import type { Reporter } from './progress.js';

export interface SetupContext {
  readonly environment: Environment;
  /** What child processes inherit; PATH is searched for executables. The composition root hands in `process.env`. */
  readonly variables: Variables;
  readonly reporter: Reporter;
  /** Hash what lies in the cache again instead of trusting names and sizes. */
  readonly verify: boolean;
}

export interface FoundPart {
  /** Of the part itself, for example of the Temporal server rather than of the command line around it. */
  readonly version: string;
  /** Where it came from, as the closing table says it. */
  readonly from: string;
  /** What to do with `location`: start it, connect to it, or load it. */
  readonly kind: 'executable' | 'address' | 'directory';
  /** Absolute path, or host:port. */
  readonly location: string;
  /** On disk; absent for what set-up does not keep. */
  readonly bytes?: number;
}

export type Attempt = { readonly found: FoundPart } | { readonly refused: string };

export interface Source {
  /** A word or two: "PATH", "cache", "Go build". */
  readonly name: string;
  readonly effort: 'look' | 'work';
  /** A source that the user did not ask for is passed over without a word. */
  applies?(context: SetupContext): boolean;
  attempt(context: SetupContext): Promise<Attempt>;
}

export interface Part {
  readonly name: string;
  /** One line: what it is for. */
  readonly purpose: string;
  /** Version that set-up fetches or builds. */
  readonly version: string;
  /** Set-up of everything succeeds without it. */
  readonly optional: boolean;
  readonly sources: readonly Source[];
}

interface Refusal {
  readonly source: string;
  readonly why: string;
}

export interface Outcome {
  readonly part: Part;
  readonly found?: FoundPart;
  /** In the order in which the sources were asked. */
  readonly refusals: readonly Refusal[];
  readonly seconds: number;
}

/** Why each source that was asked gave nothing, in one line. */
export const describeRefusals = ({ refusals }: Pick<Outcome, 'refusals'>): string =>
  refusals.map(({ source, why }) => `${source}: ${why}`).join('; ');

export const refuse = (why: string): Attempt => ({ refused: why });

/** Looks without working: what would be used if nothing were installed now. */
export const findPart = (part: Part, context: SetupContext): Promise<Outcome> =>
  askSources(
    part,
    part.sources.filter(({ effort }) => effort === 'look'),
    context,
  );

/** Looks, then fetches or builds. The outcome has no `found` when every source refused. */
export const providePart = (part: Part, context: SetupContext): Promise<Outcome> =>
  askSources(part, part.sources, context);

async function askSources(part: Part, sources: readonly Source[], context: SetupContext): Promise<Outcome> {
  const startedAt = performance.now();
  const refusals: Refusal[] = [];
  let told = 0;
  const tell = () => {
    for (const { source, why } of refusals.slice(told))
      context.reporter.line(`${part.name}: not from ${source}: ${why}`);
    told = refusals.length;
  };
  const seconds = () => (performance.now() - startedAt) / 1000;
  for (const source of sources.filter((candidate) => candidate.applies?.(context) ?? true)) {
    if (source.effort === 'work') tell();
    const attempt = await source.attempt(context).catch((error: unknown) => {
      showLastLines(error, context);
      return refuse(oneLine(error));
    });
    if ('found' in attempt) return { part, found: attempt.found, refusals, seconds: seconds() };
    refusals.push({ source: source.name, why: attempt.refused });
  }
  tell();
  return { part, refusals, seconds: seconds() };
}

/** A command that failed has said more than fits one line. */
function showLastLines(error: unknown, { reporter }: SetupContext): void {
  if (!(error instanceof CommandFailure) || error.lastLines.length < 2) return;
  for (const line of error.lastLines) reporter.line(`  │ ${line}`);
  reporter.line(`  │ all of it: ${error.logFile}`);
}

function oneLine(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.trim().split('\n')[0] ?? '';
}

/** What was found in the cache, as the closing table says it. */
export const fromCache = (found: FoundPart): Attempt => ({ found: { ...found, from: `cache (${found.from})` } });

/** How the cache is asked on behalf of a part: waiting for another set-up is worth a line. */
export const cacheOptions = (part: string, { verify, reporter }: SetupContext) => ({
  verify,
  onWait: (holder: string) => reporter.line(`${part}: waiting for ${holder}, which prepares it`),
});

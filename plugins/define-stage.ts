/**
 * Defines a stage: what a plan may say of it, what goes in and what comes out, and the work. Built-in stages are defined by the
 * same call as those of users. The definition is pure; work that needs heavy libraries imports them when it is run, so that a
 * worker which only resolves plans never loads them.
 */
import { z } from 'zod';
import type { ArtifactKinds, ProgramWork, Stage, StageContext, StageProduct, StageWork } from '../activities/stage.js';
import type { ApprovalNeed } from '../config/approval.js';
import type { ProgramName, SilenceLimitsOf } from '../config/child-phases.js';
import { NightstillError } from '../config/errors.js';
import type { JsonObject } from '../config/json.js';
import type { NodeRetry, NodeTimeouts } from '../config/plan.js';
import type { StageRole } from '../config/queues.js';
import type { ScoringNeed } from '../config/scoring-need.js';
import type {
  AppliedSection,
  CallsOfStage,
  ChampionUse,
  Disagreement,
  ReferenceNeed,
  SourceKind,
  StageInputKind,
  StageKind,
} from '../config/stage-kind.js';

type OfInputs<Inputs extends ArtifactKinds, Value> = Readonly<Partial<Record<keyof Inputs & string, Value>>>;

interface Definition<Options extends JsonObject, Inputs extends ArtifactKinds, Outputs extends ArtifactKinds> {
  /** What a plan's `uses` names, in kebab-case. */
  readonly kind: string;
  /** Raise it when the output may change: results of before are then not reused. */
  readonly version: number;
  /** Default: none. */
  readonly options?: z.ZodType<Options>;
  /** Artifacts that it takes: name → kind of artifact. A kind that ends in `?` may be absent. Default: none. */
  readonly inputs?: Inputs;
  /** Optional inputs that stand in place of another one: with the one, the other is neither needed nor taken. Default: none. */
  readonly insteadOf?: Readonly<Partial<Record<keyof Inputs & string, keyof Inputs & string>>>;
  /** Groups of optional inputs of which a plan gives exactly one each, possibly by the options. Default: none. */
  readonly oneInputOf?: (options: Options) => readonly (readonly (keyof Inputs & string)[])[];
  /**
   * Options that do not fit those of the stages that make its inputs (`makers`: input → options), or what these say that they observe
   * (`observed`: input → names). They are found when the plan is resolved, before anything runs. A maker may be a stage of a user's
   * own, with other options, or none. Default: nothing.
   */
  readonly disagreements?: (
    options: Options,
    makers: OfInputs<Inputs, JsonObject>,
    observed: OfInputs<Inputs, readonly string[]>,
  ) => readonly Disagreement[];
  /** Artifacts that it makes: name → kind of artifact. */
  readonly outputs: Outputs;
  /** Which workers can do it. One that decides by its options is known to both. Default: io. */
  readonly queue?: StageRole | ((options: Options) => StageRole);
  /** Do two executions come to the same facts? Default: true. */
  readonly reproducible?: boolean;
  /** Is a result of another run taken? Default: true. False for a stage that acts. */
  readonly reusable?: boolean;
  /**
   * Of a stage that acts on a verdict, the input that holds it. An execution that refused says so in its facts, as
   * `refused: { at, because }`: then the next run with the same inputs, options and champion takes its result. Default: none.
   */
  readonly refusesBy?: keyof Inputs & string;
  /** Inputs of which it reads what was observed as well, beside the facts. Default: none. */
  readonly observes?: readonly (keyof Inputs & string)[];
  /** Of a stage that decides about what serves under a name. */
  readonly champion?: (options: Options) => ChampionUse;
  /**
   * Of a stage that acts: a person is asked before it runs, about a verdict and the model which that judged. The work finds the
   * answer as `decision`. Default: nobody is asked.
   */
  readonly approval?: (
    options: Options,
  ) => (ApprovalNeed & { readonly verdict: keyof Inputs; readonly model: keyof Inputs }) | undefined;
  /** Options that name data outside the store. */
  readonly sources?: Readonly<Partial<Record<keyof Options & string, SourceKind>>>;
  /** The option that names the dataset whose rows its output holds, one for one. Default: its rows are not known before it ran. */
  readonly rowsFrom?: keyof Options & string;
  /** Options that a plan may give at its top: option → name there. */
  readonly shared?: Readonly<Partial<Record<keyof Options & string, string>>>;
  /** Sections at the top of a plan that it carries out. Default: none. */
  readonly applies?: readonly AppliedSection[];
  /** Options that change how the work is done and not what comes out. */
  readonly immaterial?: readonly (keyof Options & string)[];
  /** What it will ask of the endpoint that is its option `teacher`, beside answers. Default: nothing. */
  readonly scores?: (options: Options) => ScoringNeed | undefined;
  /** The option in which a stage that buys much of an endpoint is told what others will ask of it. Default: it is not told. */
  readonly foreseesScoring?: keyof Options & string;
  /** Options that a run of that day (UTC, `2026-11-27`) has instead of those of the plan. Default: none. */
  readonly onDay?: (options: Options, day: string) => Partial<Options> | undefined;
  /** Do its bits depend on the numerics of the plan? Default: false. */
  readonly numerics?: boolean | ((options: Options) => boolean);
  /** Does it have a model that is an input answer as a teacher, whose terms `teacher` of the plan then says? Default: no. */
  readonly needsTerms?: (options: Options) => boolean;
  /** Of a stage that asks an endpoint: how often, and for how much, as `nightstill plan` tells it. Default: nothing. */
  readonly calls?: (options: Options) => CallsOfStage | undefined;
  /** Of a stage that scores: the scorers that a plan can name. Default: none. */
  readonly knownScorers?: readonly string[];
  /** All numbers among its observations: a gate that asks for another is refused when the plan is resolved. Default: nobody can say. */
  readonly knownObservations?: readonly string[];
  /** What every row of its input of kind `dataset` must have to be scored: a plan over rows without is refused. Default: nothing. */
  readonly needsReference?: (options: Options) => ReferenceNeed | undefined;
  readonly timeouts?: Partial<NodeTimeouts>;
  readonly retry?: Partial<NodeRetry>;
}

export type StageDefinition<
  Options extends JsonObject,
  Inputs extends ArtifactKinds,
  Outputs extends ArtifactKinds,
> = Definition<Options, Inputs, Outputs> &
  (
    | { readonly run: Run<Options, Inputs, Outputs> }
    | DefinedProgram
    | (DefinedProgram & {
        readonly run: Run<Options, Inputs, Outputs>;
        /** Does the program do it, with these options, and not the function? */
        readonly inChild: (options: Options) => boolean;
      })
  );

/** A program and a limit for each of its own phases. */
type DefinedProgram = Pick<ProgramWork, 'scorers'> &
  {
    readonly [Program in ProgramName]: {
      readonly program: Program;
      readonly silenceLimitsMs: SilenceLimitsOf<Program>;
    };
  }[ProgramName];

type Run<Options extends JsonObject, Inputs extends ArtifactKinds, Outputs extends ArtifactKinds> = (
  context: StageContext<Options, Inputs>,
) => Promise<StageProduct<Outputs>>;

const hourMs = 3600 * 1000;
const standardTimeouts: NodeTimeouts = { startToCloseMs: 24 * hourMs, heartbeatMs: 60_000 };
/** Five attempts, after which a stage is given up, outlast a store or a server that is away for some minutes. */
const standardRetry: NodeRetry = { initialIntervalMs: 1000, backoffCoefficient: 5, maximumIntervalMs: 300_000 };

/** @throws stages-invalid when the first interval of its retries is longer than the longest */
export function defineStage<
  Outputs extends ArtifactKinds,
  Options extends JsonObject = JsonObject,
  Inputs extends ArtifactKinds = Record<never, string>,
>(definition: StageDefinition<Options, Inputs, Outputs>): Stage {
  const { queue = 'io', numerics = false, oneInputOf = () => [] } = definition;
  const { champion, approval, onDay, scores, calls, needsReference, needsTerms = () => false } = definition;
  const options: z.ZodType<JsonObject> = definition.options ?? z.strictObject({});
  const kind: StageKind = {
    kind: definition.kind,
    version: definition.version,
    options,
    defaults: defaultsOf(options),
    sources: given(definition.sources),
    rowsFrom: definition.rowsFrom,
    shared: given(definition.shared),
    applies: definition.applies ?? [],
    immaterial: definition.immaterial ?? [],
    scores: (values) => scores?.(values as Options),
    foreseesScoring: definition.foreseesScoring,
    onDay: (values, day) => {
      const changed = onDay?.(values as Options, day);
      return changed && { ...values, ...(changed as JsonObject) };
    },
    inputs: inputKinds(definition),
    oneInputOf: (values) => oneInputOf(values as Options),
    disagreements: disagreementsOf(definition),
    outputs: definition.outputs,
    activity: `nightstill.${definition.kind}`,
    role: (values) => (typeof queue === 'function' ? queue(values as Options) : queue),
    roles: typeof queue === 'function' ? ['io', 'gpu'] : [queue],
    numerics: (values) => (typeof numerics === 'function' ? numerics(values as Options) : numerics),
    reproducible: definition.reproducible ?? true,
    reusable: definition.reusable ?? true,
    refusesBy: definition.refusesBy,
    observes: definition.observes ?? [],
    champion: champion && ((values) => champion(values as Options)),
    needsTerms: (values) => needsTerms(values as Options),
    calls: (values) => calls?.(values as Options),
    knownScorers: definition.knownScorers ?? [],
    knownObservations: definition.knownObservations,
    needsReference: (values) => needsReference?.(values as Options),
    approval: (values) => approval?.(values as Options),
    timeouts: { ...standardTimeouts, ...definition.timeouts },
    retry: retryOf(definition),
  };
  return { kind, work: workOf(definition) };
}

/** Names of inputs are those of the kind. */
const disagreementsOf =
  <Options extends JsonObject, Inputs extends ArtifactKinds, Outputs extends ArtifactKinds>({
    disagreements = () => [],
  }: Definition<Options, Inputs, Outputs>): StageKind['disagreements'] =>
  (values, makers, observed) =>
    disagreements(
      values as Options,
      makers as OfInputs<Inputs, JsonObject>,
      observed as OfInputs<Inputs, readonly string[]>,
    );

function retryOf({ kind, retry: own }: { readonly kind: string; readonly retry?: Partial<NodeRetry> }): NodeRetry {
  const retry = { ...standardRetry, ...own };
  const { initialIntervalMs, maximumIntervalMs } = retry;
  if (initialIntervalMs <= maximumIntervalMs) return retry;
  throw new NightstillError(
    'stages-invalid',
    `stage ${kind}, retry: expected an initialIntervalMs of at most ${maximumIntervalMs} (maximumIntervalMs), found ${initialIntervalMs}`,
  );
}

/** Options have passed the schema, and inputs are those of the plan: at the boundary of Temporal their types are only JSON. */
const workOf = <Options extends JsonObject, Inputs extends ArtifactKinds, Outputs extends ArtifactKinds>(
  definition: StageDefinition<Options, Inputs, Outputs>,
): StageWork => {
  if (!('run' in definition)) return programOf(definition);
  const run = (context: StageContext): Promise<StageProduct> =>
    definition.run(context as StageContext<Options, Inputs>);
  if (!('program' in definition)) return { run };
  return { ...programOf(definition), run, inChild: (values) => definition.inChild(values as Options) };
};

const programOf = ({ program, silenceLimitsMs, scorers }: ProgramWork): ProgramWork => ({
  program,
  silenceLimitsMs,
  scorers,
});

const inputKinds = ({
  inputs = {},
  insteadOf = {},
}: {
  readonly inputs?: ArtifactKinds;
  readonly insteadOf?: Readonly<Partial<Record<string, string>>>;
}): StageKind['inputs'] =>
  Object.fromEntries(Object.entries(inputs).map(([name, artifact]) => [name, inputKind(artifact, insteadOf[name])]));

const inputKind = (artifact: string, insteadOf: string | undefined): StageInputKind => ({
  ...(artifact.endsWith('?') ? { artifact: artifact.slice(0, -1), optional: true } : { artifact }),
  ...(insteadOf !== undefined && { insteadOf }),
});

/** The defaults of the top level: what the schema fills in for a key that is absent. */
function defaultsOf(options: z.ZodType<JsonObject>): JsonObject {
  if (!(options instanceof z.ZodObject)) return {};
  const defaults: Record<string, JsonObject[string]> = {};
  for (const [name, field] of Object.entries<z.ZodType>(options.shape)) {
    const parsed = field.safeParse(undefined);
    if (parsed.success && parsed.data !== undefined) defaults[name] = parsed.data as JsonObject[string];
  }
  return defaults;
}

const given = <Value>(record: Readonly<Partial<Record<string, Value>>> = {}): Readonly<Record<string, Value>> =>
  Object.fromEntries(Object.entries(record).filter((entry): entry is [string, Value] => entry[1] !== undefined));

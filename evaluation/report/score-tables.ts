/**
 * The closing tables of a run: for each evaluation set and scorer one row a system, and what the distilled student gains over
 * its control on the same items. A pure function of results item by item; what is not known is null, or `not given`.
 */
import { explainDifference } from '../../config/explain-difference.js';
import { NightstillError } from '../../config/errors.js';
import { canonicalJson, isJsonObject, type JsonObject } from '../../storage/index.js';
import { compareCost, type CostReport, type ServingCost } from '../cost.js';
import type { ItemResult } from '../evaluate/item-result.js';
import type { ScoreKind } from '../scorers/scorer.js';
import { meanOf } from '../statistics/bootstrap.js';
import { meanInterval, rightOf } from '../statistics/mean-interval.js';
import type { Interval } from '../statistics/proportions.js';
import { memberOf, numberAt, objectAt, textAt } from './json-members.js';
import { forwardKlOf, type ForwardKl } from './forward-kl.js';
import { differenceOf, type Difference } from './paired-difference.js';
import { reportedSystems, type Lineage, type ReportedSystem } from './systems.js';

/** One finished `evaluate` stage, with whatever it scored. */
export interface Evaluation {
  readonly node: string;
  /** Digest of the model; null where it answered behind an endpoint. */
  readonly model: string | null;
  readonly lineage: Lineage;
  readonly results: readonly ItemResult[];
  readonly preimage: JsonObject;
  readonly facts: JsonObject;
  readonly observations: JsonObject;
  /** Null where the model says nothing of them. */
  readonly parameters: number | null;
}

/** What money is computed from; what is absent was not given. */
export interface Prices {
  /** Of a machine that serves one of the models as its evaluation did. */
  readonly usdPerHour?: number;
  /** A request to a teacher behind an endpoint. */
  readonly teacher?: ServingCost;
  /** What making the student has cost. */
  readonly distillationUsd?: number;
}

export interface ScoreTable {
  /** `exact-match@1`. */
  readonly scorer: string;
  readonly kind: ScoreKind;
  /** Digest of the evaluation set. */
  readonly dataset: string;
  readonly items: number;
  readonly systems: readonly SystemScore[];
  /** Distilled − control, for each pair of them that has both; see `otherDifferences` there. */
  readonly differences: readonly Difference[];
  /** Were all systems asked with the same lengths, stops and context? Else scores differ for that, too. */
  readonly decodedAlike: boolean;
}

export interface SystemScore {
  readonly system: ReportedSystem;
  /** The node that evaluated it. */
  readonly evaluation: string;
  /** The node that made the model; null where none of this run did. */
  readonly maker: string | null;
  /** Digest; null where it answered behind an endpoint: then its size is not known, and its latency holds the network. */
  readonly model: string | null;
  readonly mean: number;
  readonly interval: Interval;
  /** Of right-wrong scores. */
  readonly right: number | null;
  /** Share of items with the same answer as the teacher, white space at the ends aside; null without a teacher's answers. */
  readonly agreement: number | null;
  /** Forward KL from the teacher per token of the references; null where none was measured. */
  readonly forwardKl: ForwardKl | null;
  readonly weightBytes: number | null;
  readonly parameters: number | null;
  /** From request to end of answer, with `sideBySide` others under way; null where nothing was asked in the last attempt. */
  readonly latencyP50Ms: number | null;
  readonly latencyP95Ms: number | null;
  /** Of all requests side by side. */
  readonly tokensPerSecond: number | null;
  readonly sideBySide: number | null;
  /** Of the teacher by the prices of its endpoint, where they are given. */
  readonly usdPer1000: CostReport['studentUsdPer1000'];
  /** Against the teacher; null for the teacher itself. */
  readonly breakEvenRequests: CostReport['breakEvenRequests'] | null;
}

/** That of most systems first. @throws evaluation-invalid when two evaluations of one set do not hold the same items, or an item has no score */
export function scoreTables(evaluations: readonly Evaluation[], prices: Prices): ScoreTable[] {
  const groups = new Map<string, Scored[]>();
  for (const scored of evaluations.flatMap(scoredBy))
    groups.set(scored.key, [...(groups.get(scored.key) ?? []), scored]);
  const tables = [...groups.values()].map((group) => scoreTable(group, prices));
  return tables.sort((one, other) => other.systems.length - one.systems.length || byText(one.scorer, other.scorer));
}

const byText = (one: string, other: string): number => (one < other ? -1 : Number(one > other));

/** An evaluation as seen by one of its scorers. */
interface Scored {
  readonly key: string;
  readonly scorer: string;
  readonly kind: ScoreKind;
  readonly dataset: string;
  readonly evaluation: Evaluation;
}

/** Scores are comparable that the same version of a scorer gave for the same items, references and database. */
function scoredBy(evaluation: Evaluation): Scored[] {
  const { facts, preimage } = evaluation;
  const dataset = textAt(objectAt(preimage, 'inputs'), 'dataset') ?? '';
  const { reference = null, database = null } = objectAt(preimage, 'options');
  return Object.entries(objectAt(facts, 'scores')).flatMap(([scorer, found]): Scored[] => {
    if (found === undefined || !isJsonObject(found)) return [];
    const [version, kind] = [numberAt(found, 'version'), memberOf(found, 'kind')];
    if (kind !== 'right-wrong' && kind !== 'mean') return [];
    const key = canonicalJson({ dataset, reference, database, scorer, version });
    return [{ key, scorer: `${scorer}@${version}`, kind, dataset, evaluation }];
  });
}

function scoreTable(group: readonly Scored[], prices: Prices): ScoreTable {
  const [{ scorer, kind, dataset, evaluation: first }] = group as readonly [Scored, ...Scored[]];
  const place = ({ lineage }: Evaluation): number => reportedSystems.indexOf(lineage.system);
  const evaluations = group.map(({ evaluation }) => evaluation).sort((one, other) => place(one) - place(other));
  const of = (system: ReportedSystem) => evaluations.filter(({ lineage }) => lineage.system === system);
  const [teacher] = of('teacher');
  const decodings = new Set(evaluations.map(({ facts }) => canonicalJson(decodingOf(facts))));
  return {
    scorer,
    kind,
    dataset,
    items: first.results.length,
    systems: evaluations.map((evaluation) => systemScore(evaluation, { scorer, kind, teacher, prices })),
    differences: of('distilled').flatMap((distilled) =>
      of('control').map((control) =>
        differenceOf({
          kind,
          candidate: { evaluation: distilled.node, scores: scoresOf(distilled, scorer) },
          control: { evaluation: control.node, scores: scoresOf(control, scorer) },
          otherDifferences: beyondAlpha(distilled, control),
        }),
      ),
    ),
    decodedAlike: decodings.size === 1,
  };
}

/** How many answers are written side by side changes speed alone. */
const decodingOf = (facts: JsonObject): JsonObject => ({ ...objectAt(facts, 'decoding'), sequences: undefined });

/** In what the trainings of the two differ, beside the share of cross-entropy; null where one of them is not of this run. */
function beyondAlpha({ lineage: distilled }: Evaluation, { lineage: control }: Evaluation): readonly string[] | null {
  if (!distilled.maker || !control.maker) return null;
  const differences = explainDifference(distilled.maker.preimage, control.maker.preimage);
  return differences.filter((line) => !line.startsWith('crossEntropyShare: '));
}

/** An item without a score is not a wrong one. */
function scoresOf({ node, results }: Evaluation, scorer: string): Map<string, number> {
  const name = scorer.replace(/@[^@]*$/, '');
  const scoreOf = ({ id, scores }: ItemResult): number => {
    const found = scores[name]?.score;
    if (found !== undefined) return found;
    throw new NightstillError('evaluation-invalid', `${node}, item ${id}: expected a score of ${name}, found none`);
  };
  return new Map(results.map((result) => [result.id, scoreOf(result)]));
}

interface OfTable {
  readonly scorer: string;
  readonly kind: ScoreKind;
  readonly teacher: Evaluation | undefined;
  readonly prices: Prices;
}

function systemScore(evaluation: Evaluation, { scorer, kind, teacher, prices }: OfTable): SystemScore {
  const { node, model, lineage, observations, parameters } = evaluation;
  const values = [...scoresOf(evaluation, scorer).values()];
  const isTeacher = lineage.system === 'teacher';
  const ofTeacher = prices.teacher ?? (teacher && servingCost(teacher, prices));
  const { teacherUsdPer1000, studentUsdPer1000, breakEvenRequests } = compareCost({
    teacher: ofTeacher ?? unknownCost,
    student: servingCost(evaluation, prices),
    ...(prices.distillationUsd !== undefined && { distillationUsd: prices.distillationUsd }),
  });
  return {
    system: lineage.system,
    evaluation: node,
    maker: lineage.maker?.node ?? null,
    model,
    mean: meanOf(values),
    interval: meanInterval(kind, values),
    right: kind === 'right-wrong' ? rightOf(values) : null,
    agreement: teacher ? agreement(evaluation, teacher) : null,
    forwardKl: forwardKlOf(evaluation.facts),
    weightBytes: numberAt(observations, 'weightBytes'),
    parameters,
    latencyP50Ms: numberAt(observations, 'latencyP50Ms'),
    latencyP95Ms: numberAt(observations, 'latencyP95Ms'),
    tokensPerSecond: numberAt(observations, 'tokensPerSecond'),
    sideBySide: numberAt(observations, 'sideBySide'),
    usdPer1000: isTeacher ? teacherUsdPer1000 : studentUsdPer1000,
    breakEvenRequests: isTeacher ? null : breakEvenRequests,
  };
}

function agreement({ results }: Evaluation, teacher: Evaluation): number {
  const answers = new Map(teacher.results.map(({ id, text }) => [id, text.trim()]));
  return results.filter(({ id, text }) => answers.get(id) === text.trim()).length / results.length;
}

const unknownCost: ServingCost = { inputTokens: 0, outputTokens: 0 };

/** A machine paid by the hour that answers as many requests an hour as the evaluation had answered; what an endpoint runs on nobody knows. */
function servingCost({ model, results, facts, observations }: Evaluation, { usdPerHour }: Prices): ServingCost {
  const [input, output] = [numberAt(facts, 'promptTokens') ?? 0, numberAt(facts, 'generatedTokens') ?? 0];
  const perRequest = { inputTokens: input / results.length, outputTokens: output / results.length };
  const tokensPerSecond = numberAt(observations, 'tokensPerSecond') ?? 0;
  if (model === null || usdPerHour === undefined || tokensPerSecond === 0 || perRequest.outputTokens === 0)
    return perRequest;
  return { ...perRequest, usdPerHour, requestsPerHour: (tokensPerSecond * 3600) / perRequest.outputTokens };
}

/** The parts of a report out of a store: results of the nodes, scores item by item, verdicts, names, prices. Loaded when asked for. */
import type { ApprovalDecision } from '../config/approval.js';
import { refusalOf } from '../config/refusal.js';
import { readComparisons } from '../config/verdict.js';
import type { RunOutcome } from '../config/plan.js';
import {
  answeringSystem,
  capturedOf,
  isOfTraining,
  lineageOf,
  memberOf,
  numberAt,
  objectAt,
  parseLines,
  reproductionsOf,
  scoreTables,
  textAt,
  textsAt,
  usdPer1000Requests,
  type Evaluation,
  type FinishedStage,
  type ScoreTable,
} from '../evaluation/report/index.js';
import {
  findArtifact,
  isDigest,
  isJsonObject,
  listAliases,
  lookupStage,
  parseJson,
  readArtifact,
  readContent,
  type ArtifactRef,
  type Json,
  type JsonObject,
  type ObjectStore,
  type Run,
  type StageResult,
} from '../storage/index.js';
import { teacherDriftOf } from '../config/teacher-drift.js';
import type { GateVerdict, PromotionMade, ReportedArtifact, RunReport, ServingName } from './report.js';
import { pricesOf } from './run-prices.js';

/** A node of the run with its recorded result. */
interface NodeResult extends FinishedStage {
  readonly result: StageResult;
}

/** @throws object-damaged, record-invalid, evaluation-invalid; what the store throws */
export async function readReport(store: ObjectStore, run: Run, usdPerHour: number | undefined): Promise<RunReport> {
  const found = await Promise.all(Object.entries(run.stages).map(([node, key]) => readNode(store, node, key)));
  const nodes = found.filter((node) => node !== undefined);
  const read = await Promise.all(
    nodes
      .filter(({ preimage }) => memberOf(preimage, 'kind') === 'evaluate')
      .map((node) => readEvaluation(store, node, nodes)),
  );
  const evaluations = read.filter((each) => each !== undefined);
  const withoutResult = Object.keys(run.stages).filter((id) => !nodes.some(({ node }) => node === id));
  const isWhole = run.status === 'closed' && withoutResult.length === 0;
  const recorded = nodes.map(({ result, ...node }) => ({
    ...node,
    observations: objectOf(result.outcome.observations),
    workedMs: result.workedMs,
  }));
  const prices = pricesOf(recorded, usdPerHour, isWhole);
  const tables = scoreTables(
    evaluations.filter((each) => !isOfTraining(each)),
    prices,
  );
  return {
    runId: run.id,
    plan: run.plan,
    store: store.url,
    status: run.status === 'closed' ? ((run.outcome as RunOutcome | null)?.status ?? 'completed') : 'open',
    tables,
    reproductions: reproductionsOf(evaluations),
    captures: toldBy(nodes, capturedOf),
    notCompared: ['stock-small-model', 'quantized-teacher', ...(lacksTeacher(tables) ? (['teacher'] as const) : [])],
    verdicts: [...(await readVerdicts(store, nodes)), ...unchangedVerdicts(run)],
    canaries: toldBy(nodes, teacherDriftOf),
    promotions: promotionsOf(nodes, run),
    serving: await readServing(store, nodes),
    teacherUsdPer1000: prices.teacher ? usdPer1000Requests(prices.teacher) : 'not given',
    distillationUsd: prices.distillationUsd ?? 'not given',
    paid: prices.paid,
    artifacts: nodes.flatMap(artifactsOf),
    withoutResult,
  };
}

/** What the facts of the nodes tell of one kind of thing; of other stages they tell nothing. */
const toldBy = <Told extends object>(nodes: readonly NodeResult[], read: (facts: JsonObject) => Told | undefined) =>
  nodes.flatMap(({ node, result }) => {
    const told = read(objectOf(result.outcome.facts));
    return told ? [{ node, ...told }] : [];
  });

const artifactsOf = ({ node, result }: NodeResult): ReportedArtifact[] =>
  Object.entries(result.outcome.outputs).map(([output, { kind, digest, uri, bytes, rows, resumedInexactlyAt }]) => ({
    node,
    output,
    kind,
    digest,
    uri,
    bytes,
    ...(rows !== undefined && { rows }),
    ...(resumedInexactlyAt && { resumedInexactlyAt }),
  }));

async function readNode(store: ObjectStore, node: string, stageKey: string): Promise<NodeResult | undefined> {
  const { result } = await lookupStage(store, stageKey, { readOnly: true });
  if (result === undefined) return undefined;
  const { preimage, outputs } = result.outcome;
  const digests = Object.entries(outputs).map(([name, { digest }]) => [name, digest]);
  return {
    node,
    result,
    preimage: objectOf(preimage),
    outputs: Object.fromEntries(digests) as FinishedStage['outputs'],
  };
}

async function readEvaluation(
  store: ObjectStore,
  { node, preimage, result }: NodeResult,
  nodes: readonly NodeResult[],
): Promise<Evaluation | undefined> {
  const inputs = objectAt(preimage, 'inputs');
  const model = textAt(inputs, 'model');
  const { scores } = result.outcome.outputs;
  if (scores?.kind !== 'scores' || (model === null && textAt(inputs, 'answers') === null)) return undefined;
  return {
    node,
    model,
    preimage,
    lineage: model === null ? { system: answeringSystem(node) } : lineageOf(model, node, nodes),
    results: parseLines(await readContent(store, scores)),
    facts: objectOf(result.outcome.facts),
    observations: objectOf(result.outcome.observations),
    parameters: model === null ? null : await parametersOf(store, model),
  };
}

const students: readonly string[] = ['fine-tuned', 'distilled'];

/** Are there students, and nothing that says how near they come to whom they learned from? */
function lacksTeacher(tables: readonly ScoreTable[]): boolean {
  const systems = tables.flatMap((table) => table.systems.map(({ system }) => system));
  return systems.some((system) => students.includes(system)) && !systems.includes('teacher');
}

/** As the index of the model says; null for a model that was collected. */
async function parametersOf(store: ObjectStore, model: string): Promise<number | null> {
  const artifact = isDigest(model) ? await findArtifact(store, model) : undefined;
  if (artifact === undefined) return null;
  const { meta } = await readArtifact(store, artifact);
  return numberAt(objectAt(objectOf(meta), 'facts'), 'parameters');
}

async function readVerdicts(store: ObjectStore, nodes: readonly NodeResult[]): Promise<GateVerdict[]> {
  const verdicts = nodes.map(async ({ node, result }): Promise<GateVerdict[]> => {
    const artifact = artifactOf(result, 'verdict');
    if (artifact === undefined) return [];
    const said = objectOf(parseJson((await readContent(store, artifact)).toString()));
    const comparisons = readComparisons(memberOf(said, 'comparisons'));
    const told = { node, verdict: textAt(said, 'verdict') ?? '', reasons: textsAt(said, 'reasons') };
    return [comparisons.length > 0 ? { ...told, comparisons } : told];
  });
  return (await Promise.all(verdicts)).flat();
}

/** A gate that had nothing to decide has made no verdict: how the run ended tells of it. */
const unchangedVerdicts = ({ outcome }: Run): GateVerdict[] =>
  ((outcome as RunOutcome | null)?.nodes ?? [])
    .filter(({ id, unchanged }) => unchanged === id)
    .map(({ id, why = '' }) => ({ node: id, verdict: 'unchanged', reasons: [why] }));

const promotionsOf = (nodes: readonly NodeResult[], { id }: Run): PromotionMade[] =>
  nodes.flatMap(({ node, result }) => {
    if (artifactOf(result, 'promotion') === undefined) return [];
    const facts = objectOf(result.outcome.facts);
    const said = (field: string): string => textAt(facts, field) ?? '';
    const promoted = memberOf(facts, 'promoted') === true;
    const decided = objectAt(facts, 'decision') as unknown as ApprovalDecision;
    const made = { node, name: said('name'), alias: said('alias'), promoted, why: said('why') };
    const { recordedBy = id } = result;
    const refused = recordedBy === id ? undefined : refusalOf(facts);
    return [
      {
        ...made,
        ...('outcome' in decided && { decision: decided }),
        ...(refused && { refusedBefore: { ...refused, run: recordedBy } }),
      },
    ];
  });

const artifactOf = ({ outcome }: StageResult, kind: string): ArtifactRef | undefined =>
  Object.values(outcome.outputs).find((artifact) => artifact.kind === kind);

async function readServing(store: ObjectStore, nodes: readonly NodeResult[]): Promise<ServingName[]> {
  return (await listAliases(store)).flatMap(({ name, alias, current }) => {
    const { digest } = current.model;
    if (!nodes.some(({ outputs }) => Object.values(outputs).includes(digest))) return [];
    return [{ name, alias, digest, system: lineageOf(digest, '', nodes).system, reason: current.reason }];
  });
}

const objectOf = (value: Json): JsonObject => (isJsonObject(value) ? value : {});

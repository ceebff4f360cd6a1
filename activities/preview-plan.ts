/**
 * What a run of a plan would do now: which nodes it would reuse, which it would run, on which queue, and why. Nothing is written.
 * A node is `unknown` while an input of it has still to be made.
 */
import { isDeepStrictEqual } from 'node:util';
import { budgetSchema } from '../config/budget-schema.js';
import { hasCode, NightstillError } from '../config/errors.js';
import type { ArtifactRef, Outputs } from '../config/artifact.js';
import type { NodeInput, Plan, PlanNode, StageIdentity } from '../config/plan.js';
import { formatDuration } from '../config/format-duration.js';
import type { StageKind } from '../config/stage-kind.js';
import { budgetOfPeriod, takenOf, toUsd } from '../distillation/index.js';
import { sayResolution } from '../evaluation/index.js';
import {
  lookupStage,
  openObjectStore,
  readPlan,
  readRun,
  type ObjectStore,
  type StageLookup,
} from '../storage/index.js';
import { championsTraining } from './champions-training.js';
import { dayOf, onDay } from './dated-plan.js';
import { explainLookup } from './lookup.js';
import { whyNothingToDecide } from './nothing-to-decide.js';
import { placeChampion } from './place-champion.js';
import { sayCalls, sayCaps } from './plan-calls.js';
import { resolutionsOf } from './plan-margins.js';
import { PlannedRows } from './planned-rows.js';
import { resolvePlan, type PlanRules } from './resolve-plan.js';
import { identifyStage } from './stage-key.js';
import { standingRefusal } from './standing-refusal.js';

export interface PlanPreview {
  readonly plan: string;
  readonly store: string;
  readonly planDigest: string;
  /** In the order of the file. */
  readonly nodes: readonly NodePreview[];
  /** What stops those that spend money: each once. */
  readonly caps?: readonly string[];
}

export interface NodePreview {
  readonly id: string;
  readonly uses: string;
  readonly needs: readonly string[];
  readonly queue: string;
  readonly verdict: 'reused' | 'runs' | 'unknown';
  /** What else is known of it: what its gate can tell, and whom it waits for. */
  readonly notes?: readonly string[];
  /** As a run would say it; for what is unknown, until when. */
  readonly why: string;
  /** Absent where it is unknown, and of a stage that acts, whose key is another in every run. */
  readonly stageKey?: string;
  /** How long the last run of this plan worked on the node, or on one of its kind; absent: no estimate. */
  readonly estimateMs?: number | undefined;
}

/** @throws plan-invalid, dataset-missing, model-file-missing, store-access-denied, store-unavailable; what refuses an evaluation set */
export async function previewPlan(file: unknown, rules: PlanRules): Promise<PlanPreview> {
  const { plan: written, planDigest } = resolvePlan(file, rules);
  const resolved = onDay(written, rules.kinds, dayOf(Date.now())) ?? written;
  const store = await openExisting(resolved.store);
  try {
    const plan = await placeChampion(resolved, rules.kinds, store);
    const preview = new Preview(plan, rules.kinds, store, await stagesBefore(store, plan.name));
    const nodes: NodePreview[] = [];
    for (const { id } of plan.nodes) nodes.push((await preview.of(id)).node);
    const caps = await capsIn(plan.nodes, store);
    return { plan: plan.name, store: plan.store, planDigest, nodes, ...(caps.length > 0 && { caps }) };
  } finally {
    await store?.close();
  }
}

interface Previewed {
  readonly node: NodePreview;
  /** Of a node that is reused. */
  readonly outputs?: Outputs | undefined;
  /** It has nothing to decide, and makes nothing. */
  readonly unchanged?: boolean;
}

class Preview {
  readonly #plan: Plan;
  readonly #kinds: readonly StageKind[];
  readonly #store: ObjectStore | undefined;
  readonly #before: Readonly<Record<string, string>>;
  readonly #planned: PlannedRows;
  readonly #previewed = new Map<string, Previewed>();

  constructor(
    plan: Plan,
    kinds: readonly StageKind[],
    store: ObjectStore | undefined,
    before: Readonly<Record<string, string>>,
  ) {
    this.#plan = plan;
    this.#kinds = kinds;
    this.#store = store;
    this.#before = before;
    this.#planned = new PlannedRows(plan.nodes, kinds, { recorded: this.#recorded });
  }

  async of(id: string): Promise<Previewed> {
    const known = this.#previewed.get(id);
    if (known) return known;
    const node = this.#plan.nodes.find((candidate) => candidate.id === id);
    if (node === undefined) throw new NightstillError('plan-invalid', `expected a node of the plan, found "${id}"`);
    const previewed = await this.#preview(node);
    this.#previewed.set(id, previewed);
    return previewed;
  }

  async #preview(node: PlanNode): Promise<Previewed> {
    const { id, uses, needs, queue } = node;
    const inputs: Record<string, NodeInput['inputs'][string]> = { ...node.artifacts };
    const makers: Record<string, string> = {};
    const awaited = new Set<string>();
    for (const [name, { node: maker, output }] of Object.entries(node.inputs)) {
      const { outputs, node: made, unchanged } = await this.of(maker);
      if (unchanged) return left(node, `unchanged: ${maker} has nothing to decide`);
      const artifact = outputs?.[output];
      if (made.stageKey !== undefined) makers[name] = made.stageKey;
      if (artifact) inputs[name] = artifact;
      else awaited.add(maker);
    }
    const ofGate = await this.#resolutionNotes(node);
    const ofRows = unansweredNotes(node, this.#plan.nodes);
    const notes = notesOf(ofGate, ofRows, await this.#callNotes(node), approvalNotes(node));
    const shown = { id, uses, needs, queue, ...notes };
    if (awaited.size > 0) {
      const why = `unknown until ${[...awaited].join(', ')} ${awaited.size > 1 ? 'are' : 'is'} done`;
      return { node: { ...shown, verdict: 'unknown', why, ...(await this.#estimate(node)) } };
    }
    const kind = this.#kinds.find((candidate) => candidate.kind === uses);
    if (kind === undefined) throw new NightstillError('plan-invalid', `stage ${id}: expected a known kind`);
    const nothing = this.#store && (await whyNothingToDecide(this.#store, kind, { with: node.with, inputs }));
    if (nothing !== undefined) return left(node, nothing);
    const identified = await identifyStage(kind, { with: node.with, numerics: node.numerics, inputs, makers });
    const before = this.#before[id];
    const refused =
      this.#store && (await standingRefusal(this.#store, { kind, inputs, preimage: identified.preimage, before }));
    const stage = refused ?? (await this.#championsTraining(node, identified)) ?? identified;
    const found = this.#store ? await lookupStage(this.#store, stage.stageKey, { readOnly: true }) : never;
    const looked = this.#store ? await explainLookup(this.#store, kind, { stage, found, before }) : 'never run before';
    const why = refused?.why ?? looked;
    const { stageKey } = stage;
    if (found.result) {
      const reused = { id, uses, needs, queue, ...notesOf(ofGate, ofRows), verdict: 'reused', why, stageKey } as const;
      return { node: reused, outputs: found.result.outcome.outputs };
    }
    // A stage that acts has another key in every run.
    const known = kind.reusable ? { stageKey } : {};
    return { node: { ...shown, verdict: 'runs', why, ...known, ...(await this.#estimate(node)) } };
  }

  async #championsTraining({ fromChampion }: PlanNode, identified: StageIdentity): Promise<StageIdentity | undefined> {
    return this.#store && fromChampion ? championsTraining(this.#store, fromChampion, identified) : undefined;
  }

  /** @throws gate-margin-too-small, gate-items-too-few, evaluation-invalid */
  async #resolutionNotes(node: PlanNode): Promise<string[]> {
    await this.#planned.refuseWithoutReference(node);
    return (await resolutionsOf(node, this.#plan.nodes, this.#planned)).map(sayResolution);
  }

  async #callNotes({ uses, with: options, inputs: { dataset } }: PlanNode): Promise<string[]> {
    const calls = this.#kinds.find(({ kind }) => kind === uses)?.calls(options);
    if (calls === undefined) return [];
    return [sayCalls(calls, dataset && (await this.#planned.rowsOf(dataset)))];
  }

  readonly #recorded = async ({ node, output }: PlanNode['inputs'][string]): Promise<ArtifactRef | undefined> =>
    (await this.of(node)).outputs?.[output];

  /** From the last result of the node, or else of another node of its kind. */
  async #estimate({ id, uses }: PlanNode): Promise<Pick<NodePreview, 'estimateMs'>> {
    const alike = this.#plan.nodes.filter((node) => node.uses === uses && node.id !== id);
    for (const node of [id, ...alike.map((other) => other.id)]) {
      const stageKey = this.#before[node];
      if (stageKey === undefined || this.#store === undefined) continue;
      const { result } = await lookupStage(this.#store, stageKey, { readOnly: true });
      if (result?.workedMs !== undefined) return { estimateMs: result.workedMs };
    }
    return {};
  }
}

/** As the budgets stand now, of this moment's period. */
async function capsIn(nodes: readonly PlanNode[], store: ObjectStore | undefined): Promise<string[]> {
  const budgets = nodes.flatMap(({ with: options }) => budgetSchema.safeParse(options['budget']).data ?? []);
  const distinct = new Map(budgets.map((budget) => [JSON.stringify(budget), budget]));
  const said: string[] = [];
  for (const budget of distinct.values()) {
    const { period } = budget;
    const taken = store && period && (await takenOf(store, budgetOfPeriod(period, Date.now())));
    said.push(sayCaps(budget, taken && toUsd(taken)));
  }
  return said;
}

const left = ({ id, uses, needs, queue }: PlanNode, why: string): Previewed => ({
  node: { id, uses, needs, queue, verdict: 'reused', why },
  unchanged: true,
});

function notesOf(...notes: readonly (readonly string[])[]): Pick<NodePreview, 'notes'> {
  const all = notes.flat();
  return all.length > 0 ? { notes: all } : {};
}

const approvalNotes = ({ approval }: PlanNode): string[] =>
  approval ? [`waits ${formatDuration(approval.withinMs)} at most for a person to approve what passed its gate`] : [];

/** Rows whose loss alone is measured, and that nobody answers: whoever gives an evaluation set may expect scores. */
function unansweredNotes({ uses, with: options }: PlanNode, nodes: readonly PlanNode[]): string[] {
  const same = nodes.filter((node) => node.uses === uses && isDeepStrictEqual(node.with, options)).map(({ id }) => id);
  const purposes = nodes.flatMap(({ inputs }) =>
    Object.entries(inputs).flatMap(([purpose, { node }]) => (same.includes(node) ? [purpose] : [])),
  );
  if (purposes.length === 0 || purposes.some((purpose) => purpose !== 'heldOut')) return [];
  return ['never trained on; the loss on them is measured, and no answer is scored: that takes gates or evaluate'];
}

const never: StageLookup = { wasFinished: false };

/** The stage key that each node had last in runs of this plan. */
async function stagesBefore(store: ObjectStore | undefined, plan: string): Promise<Readonly<Record<string, string>>> {
  const newest = store && (await readPlan(store, plan));
  const run = newest && (await readRun(store, newest.run));
  return run ? { ...run.before, ...run.stages } : {};
}

/** A store that nobody has written to is an empty one: the first run makes it. */
async function openExisting(url: string): Promise<ObjectStore | undefined> {
  try {
    return await openObjectStore(url);
  } catch (error) {
    if (hasCode(error, 'store-missing') && url.startsWith('file://')) return undefined;
    throw error;
  }
}

/**
 * The datasets of a plan before it runs: how many rows each will have, and whether each row of an evaluation set has what an item needs.
 * A set that is about to be imported is gone through once, where that is cheap; of any other nothing is known before it is there.
 */
import type { ArtifactRef } from '../config/artifact.js';
import { datasetSchema } from '../config/dataset-schema.js';
import { hasCode, NightstillError } from '../config/errors.js';
import type { PlanNode } from '../config/plan.js';
import type { ReferenceNeed, StageKind } from '../config/stage-kind.js';
import { countRows } from '../distillation/index.js';
import { itemOf } from '../evaluation/index.js';

type Made = PlanNode['inputs'][string];
interface Sources {
  /** What is there already of what a node makes. */
  readonly recorded?: (made: Made) => Promise<ArtifactRef | undefined>;
  /** Of all sets together; aborted, no further set is gone through. By default ten seconds from the first on. */
  readonly deadline?: AbortSignal;
}

/** Going through the sets is part of the resolution of a plan: seconds at most, however many they are. */
const mostBytesOfSet = 16 * 1024 * 1024;
const mostMsOfAll = 10_000;

interface RowsRead {
  readonly rows: number;
  /** By the field of the reference: what is wrong with the first row that has none. */
  readonly wrong: ReadonlyMap<ReferenceNeed['field'], NightstillError>;
}

export class PlannedRows {
  readonly #nodes: readonly PlanNode[];
  readonly #kinds: readonly StageKind[];
  readonly #recorded: NonNullable<Sources['recorded']>;
  #deadline: AbortSignal | undefined;
  /** By the node that will import them. */
  readonly #read = new Map<string, Promise<RowsRead | undefined>>();

  constructor(
    nodes: readonly PlanNode[],
    kinds: readonly StageKind[],
    { recorded = () => Promise.resolve(undefined), deadline }: Sources = {},
  ) {
    this.#nodes = nodes;
    this.#kinds = kinds;
    this.#recorded = recorded;
    this.#deadline = deadline;
  }

  /** The dataset that a node takes. */
  setOf({ uses, inputs }: PlanNode): Made | undefined {
    const taken = this.#kindOf(uses)?.inputs ?? {};
    return Object.entries(inputs).find(([name]) => taken[name]?.artifact === 'dataset')?.[1];
  }

  /** Undefined where that is not known. */
  async rowsOf(made: Made): Promise<number | undefined> {
    return (await this.#recorded(made))?.rows ?? (await this.#readOf(made))?.rows;
  }

  /** Of a node that scores every row of its set by a reference. @throws evaluation-invalid */
  async refuseWithoutReference(node: PlanNode): Promise<void> {
    const need = this.#needOf(node);
    const set = need && this.setOf(node);
    const wrong = set && (await this.#readOf(set))?.wrong.get(need.field);
    if (wrong)
      throw new NightstillError(wrong.code, `stage ${node.id}, ${wrong.message}`, { details: { stage: node.id } });
  }

  #readOf({ node }: Made): Promise<RowsRead | undefined> {
    const known = this.#read.get(node) ?? this.#readImported(node);
    this.#read.set(node, known);
    return known;
  }

  /** Of what a stage of the user's own makes nothing is known before it ran. */
  async #readImported(node: string): Promise<RowsRead | undefined> {
    const maker = this.#nodes.find(({ id }) => id === node);
    const source = maker && this.#kindOf(maker.uses)?.rowsFrom;
    const dataset = datasetSchema.safeParse(source && maker.with[source]);
    if (!dataset.success) return undefined;
    const taking = this.#nodes.filter((each) => this.setOf(each)?.node === node);
    const fields = new Set(taking.flatMap((each) => this.#needOf(each) ?? []).map(({ field }) => field));
    const wrong = new Map<ReferenceNeed['field'], NightstillError>();
    const deadline = (this.#deadline ??= AbortSignal.timeout(mostMsOfAll));
    const rows = await countRows(dataset.data, { bytes: mostBytesOfSet, deadline }, (row, place) => {
      for (const field of fields) {
        const found = wrong.has(field) ? undefined : whyNoItem({ id: row.givenId ?? place, ...row }, field);
        if (found) wrong.set(field, found);
      }
    });
    return rows === undefined ? undefined : { rows, wrong };
  }

  #needOf({ uses, with: options }: PlanNode): ReferenceNeed | undefined {
    return this.#kindOf(uses)?.needsReference(options);
  }

  #kindOf(uses: string): StageKind | undefined {
    return this.#kinds.find(({ kind }) => kind === uses);
  }
}

function whyNoItem(row: Parameters<typeof itemOf>[0], field: ReferenceNeed['field']): NightstillError | undefined {
  try {
    itemOf(row, field);
    return undefined;
  } catch (error) {
    if (hasCode(error, 'evaluation-invalid')) return error;
    throw error;
  }
}

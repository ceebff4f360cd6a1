/** Counts the samples whose reply does not fit, by reason, and fails as soon as too few can still fit. */
import { NightstillError } from '../../config/errors.js';
import type { Sample } from '../../engine/index.js';
import type { Unanswered } from '../teachers/ask.js';
import type { Recorded } from '../teachers/recorded-reply.js';
import type { ScoredPrompt } from '../teachers/scoring-wire.js';
import { servedLabel } from '../teachers/wire.js';
import { mayReach } from '../teachers/yield.js';
import type { Misfit } from './aligned-row.js';

/** A reply that does not fit, or none. */
export type Unaligned = Misfit | Unanswered;

export class AlignmentTally {
  readonly #unaligned: Partial<Record<Unaligned, number>> = {};
  readonly #served: Record<string, number> = {};
  readonly #rows = new Set<string>();
  #promptTokens = 0;

  constructor(
    private readonly samples: number,
    private readonly minimumAligned: number,
  ) {}

  /** What was said of a sample. */
  said(reply: Recorded<ScoredPrompt>): void {
    const { usage } = reply;
    const served = servedLabel(reply).slice(0, 200);
    this.#served[served] = (this.#served[served] ?? 0) + 1;
    this.#promptTokens += usage?.promptTokens ?? 0;
  }

  /** @throws capture-unaligned */
  unaligned({ id, pieceOf }: Pick<Sample, 'id' | 'pieceOf'>, reason: Unaligned): void {
    this.#rows.add(pieceOf ?? id);
    this.#unaligned[reason] = (this.#unaligned[reason] ?? 0) + 1;
    const count = this.count;
    if (mayReach(this.minimumAligned, { of: this.samples, lost: count })) return;
    const reasons = Object.entries(this.#unaligned).map(([why, number]) => `${number} ${why}`);
    throw new NightstillError(
      'capture-unaligned',
      `expected distributions of at least ${this.minimumAligned * 100} % of ${this.samples} samples, found ${count} without: ${reasons.join(', ')}`,
      { details: { ...this.#unaligned } },
    );
  }

  get count(): number {
    return Object.values(this.#unaligned).reduce((sum, number) => sum + number, 0);
  }

  /** Rows of the dataset of which a sample has no logits: of one that was split, any piece. */
  get rows(): ReadonlySet<string> {
    return this.#rows;
  }

  get reasons(): Readonly<Partial<Record<Unaligned, number>>> {
    return { ...this.#unaligned };
  }

  /** Of this attempt: what it bought, and what it found recorded. */
  get observed() {
    return { served: { ...this.#served }, promptTokens: this.#promptTokens };
  }
}

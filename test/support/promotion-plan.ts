/** A plan that measures a model as it is, decides about it, and promotes it: nothing is trained. And the files that it is about. */
import type { Json } from '../../storage/index.js';
import { conversationLines, copyModel } from './model-fixtures.js';
import { NightFiles } from './night-files.js';

const notWorse = { score: 'exact-match', notWorseThan: 'champion', margin: 0.9, minItems: 1, discordance: 0.5 };

/** Gates that any model passes. */
const passes = [{ score: 'exact-match', atLeast: 0, minItems: 1 }, notWorse];

export interface PromotionPlan {
  readonly name: string;
  readonly store: string;
  readonly dataset: string;
  readonly model: string;
  readonly gates?: readonly Json[];
  /** A file: before it is there, nothing is decided, nothing is moved, or the run does not end. */
  readonly waitFor?: string;
  readonly waitBefore?: 'gate' | 'promote' | 'end';
  /** What is held against the candidate as base: the same model, measured otherwise. */
  readonly base?: { readonly dataset?: string; readonly maximumTokens?: number };
  /** Options of the stage promote. */
  readonly promote?: Readonly<Record<string, Json>>;
}

const measuring = { scorers: ['exact-match'], maximumTokens: 4, context: 128 };

export const promotionPlan = ({
  name,
  store,
  dataset,
  model,
  gates = passes,
  waitFor,
  waitBefore = 'gate',
  base,
  promote,
}: PromotionPlan): Json => ({
  name,
  store,
  numerics: { runner: 'wasm', threads: 1 },
  gates,
  stages: [
    { id: 'held-out', uses: 'import', with: { dataset } },
    { id: 'student', uses: 'import-model', with: { model } },
    { id: 'evaluate', uses: 'evaluate', needs: ['held-out', 'student'], with: measuring },
    ...(base === undefined ? [] : measuredOtherwise({ dataset, maximumTokens: measuring.maximumTokens, ...base })),
    ...(waitFor === undefined ? [] : [pauseAfter(beforeThat[waitBefore], name, waitFor)]),
    {
      id: 'gate',
      uses: 'gate',
      needs: [
        'student',
        'evaluate',
        ...(base ? ['evaluate-base'] : []),
        ...(waitFor && waitBefore === 'gate' ? ['pause'] : []),
      ],
      inputs: { candidate: 'evaluate.scores', ...(base && { base: 'evaluate-base.scores' }) },
    },
    {
      id: 'promote',
      uses: 'promote',
      needs: ['gate', 'student', ...(waitFor && waitBefore === 'promote' ? ['pause'] : [])],
      ...(promote && { with: promote }),
    },
  ],
});

const beforeThat = { gate: 'evaluate', promote: 'gate', end: 'promote' } as const;

const pauseAfter = (node: string, text: string, waitFor: string) => ({
  id: 'pause',
  uses: 'note',
  needs: [node],
  with: { text, waitFor },
});

const measuredOtherwise = ({ dataset, maximumTokens }: Required<NonNullable<PromotionPlan['base']>>) => [
  { id: 'others', uses: 'import', with: { dataset } },
  { id: 'evaluate-base', uses: 'evaluate', needs: ['others', 'student'], with: { ...measuring, maximumTokens } },
];

export interface PromotionFiles {
  readonly files: NightFiles;
  readonly models: readonly [string, string];
  readonly dataset: string;
  /** One for all plans of a test: what was measured once is found again. */
  readonly store: string;
}

export async function promotionFiles(): Promise<PromotionFiles> {
  const files = await NightFiles.create();
  const { directory } = files;
  return {
    files,
    models: [await copyModel('qwen3-qknorm', directory), await copyModel('qwen2-gqa-tied', directory)],
    dataset: await files.newDataset(conversationLines(4)),
    store: files.newStore(),
  };
}

/** Why a student and its teacher have no divergence: their tokenizers differ, or one of the models lacks ids of them. */
export const incomparableReasons = ['tokenizers-differ', 'ids-missing'] as const;
export type Incomparable = (typeof incomparableReasons)[number];

/**
 * Which weights decay. By default those of two and more dimensions: matrices and, as in the usual PyTorch recipes, embeddings;
 * biases and norms do not.
 */
export interface WeightDecay {
  /** The decay of what decays, such as 0.1; 0 for none. */
  readonly value: number;
  /** Exceptions by name, the first that matches counts; `*` stands for any characters: `{ names: '*', value: 0.1 }`. */
  readonly rules?: readonly { readonly names: string; readonly value: number }[];
}

export function decayOf(name: string, shape: readonly number[], { value, rules = [] }: WeightDecay): number {
  const rule = rules.find(({ names }) => matches(names, name));
  if (rule !== undefined) return rule.value;
  return shape.length >= 2 ? value : 0;
}

function matches(pattern: string, name: string): boolean {
  const pieces = pattern.split('*').map((piece) => piece.replace(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${pieces.join('.*')}$`).test(name);
}

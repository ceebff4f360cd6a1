/**
 * How far a model is from its teacher on held-out text: forward KL per token of the references, as the model's own chat template
 * writes them, exact over all ids that both have. Where the two do not read text alike there is no such number, and the reason is told.
 */
import { join } from 'node:path';
import type { Numerics } from '../../config/numerics.js';
import {
  createConversationEncoder,
  createForwardKl,
  type ConversationEncoder,
  openChatTemplate,
  openModelDirectory,
  openTokenizer,
  promptLengthsUpTo,
  readModelConfig,
  type Runner,
} from '../../engine/index.js';
import type { Incomparable } from './incomparable.js';
import type { ItemResult } from './item-result.js';
import type { Item } from './items.js';

type Answered = Extract<Parameters<ConversationEncoder['encodeConversation']>[0], { readonly messages: unknown }>;
export type ItemDivergence = NonNullable<ItemResult['divergence']>;

export interface DivergenceRequest {
  readonly model: string;
  readonly teacher: string;
  readonly runner: Runner;
  readonly numerics: Numerics;
  /** Tokens of prompt and reference together; a longer item is not measured. */
  readonly context: number;
}

/** The content of the tokenizers must be equal, and each of their ids one of both models: what is beyond it is padding, and left out. */
export async function incomparable({ model, teacher }: DivergenceRequest): Promise<Incomparable | null> {
  const [ours, theirs] = [await openTokenizer(model), await openTokenizer(teacher)];
  if (ours.digest !== theirs.digest) return 'tokenizers-differ';
  const configs = await Promise.all(
    [model, teacher].map((directory) => readModelConfig(join(directory, 'config.json'))),
  );
  return configs.some(({ vocabularySize }) => vocabularySize < ours.vocabularySize) ? 'ids-missing' : null;
}

/**
 * One for each item, in their order.
 * @throws chat-template-invalid, chat-template-rewrites, engine-failed; what reading the models throws
 */
export async function* divergencesOf(
  items: readonly Item[],
  { model, teacher, runner, numerics, context }: DivergenceRequest,
): AsyncGenerator<ItemDivergence, void, undefined> {
  const [tokenizer, template] = [await openTokenizer(model), await openChatTemplate(model)];
  const encoder = createConversationEncoder({ tokenizer, template, answers: 'last' });
  const [ours, theirs] = [await openModelDirectory(model), await openModelDirectory(teacher)];
  try {
    const capacity = Math.min(context, ours.config.maximumPositions, theirs.config.maximumPositions);
    const forwardKl = await createForwardKl({
      runner,
      student: { config: ours.config, weights: ours.tensors.readFloat32Rows },
      teacher: { config: theirs.config, weights: theirs.tensors.readFloat32Rows },
      rowLengths: promptLengthsUpTo(capacity),
      xla: numerics.xla,
    });
    try {
      for (const { id, messages, reference } of items) {
        // A template refuses roles that it does not know.
        const conversation = [...messages, { role: 'assistant', content: reference }] as Answered['messages'];
        const { ids, trained } = encoder.encodeConversation({ id, messages: conversation });
        const span = trained.at(-1);
        if (span === undefined || ids.length > capacity) yield { tokens: 0, sum: 0 };
        // What is known of a token was said behind the one before it.
        else yield summed((await forwardKl.divergences(ids)).subarray(Math.max(0, span.start - 1), span.end - 1));
      }
    } finally {
      forwardKl.dispose();
    }
  } finally {
    await ours.close();
    await theirs.close();
  }
}

const summed = (values: Float32Array): ItemDivergence => ({
  tokens: values.length,
  sum: values.reduce((total, value) => total + value, 0),
});

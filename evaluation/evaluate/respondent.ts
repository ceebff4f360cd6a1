/** A model directory as what can be asked: its chat template writes the prompts, its tokens end the answers. */
import type { EvaluateOptions } from '../../config/evaluate-options.js';
import type { Numerics } from '../../config/numerics.js';
import {
  createGenerator,
  openChatTemplate,
  openModelDirectory,
  openTokenizer,
  promptLengthsUpTo,
  type Runner,
} from '../../engine/index.js';
import type { Respondent } from './evaluate-items.js';

export interface LoadedRespondent extends Respondent {
  readonly dispose: () => void;
}

/** @throws model-file-missing for a model without chat template, weights or tokenizer; what loading a model throws */
export async function openRespondent(
  directory: string,
  runner: Runner,
  { xla }: Numerics,
  { context, sequences }: EvaluateOptions,
): Promise<LoadedRespondent> {
  const [tokenizer, template] = [await openTokenizer(directory), await openChatTemplate(directory)];
  const { config, tensors, generationConfig, close } = await openModelDirectory(directory);
  try {
    const capacity = Math.min(context, config.maximumPositions);
    const ends = generationConfig?.endOfSequence ?? [];
    const generator = await createGenerator({
      runner,
      config,
      weights: tensors.readFloat32,
      tokenizer,
      endOfSequence: ends.length > 0 ? ends : config.endOfSequence,
      slots: sequences,
      capacity,
      promptLengths: promptLengthsUpTo(capacity),
      xla,
    });
    return {
      sequences,
      capacity,
      encode: (messages) =>
        tokenizer.encode(template.render(messages, { addGenerationPrompt: true }), { addSpecialTokens: false }),
      generate: (request) => generator.generate(request),
      dispose: () => generator.dispose(),
    };
  } finally {
    await close();
  }
}

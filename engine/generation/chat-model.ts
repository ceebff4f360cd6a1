/** A model directory as what can be asked: its chat template writes the prompts, its tokens end the answers. */
import { unheededSettings } from '../files/generation-config.js';
import { openModelDirectory } from '../files/model-directory.js';
import type { Runner } from '../runners/runner.js';
import { openChatTemplate, type ChatMessage } from '../text/chat-template.js';
import { openTokenizer } from '../text/tokenizer.js';
import { createGenerator } from './generator.js';
import { promptLengthsUpTo } from './prompt-lengths.js';
import type { GenerationEvent, GenerationRequest } from './request.js';

export interface ChatModelSettings {
  readonly runner: Runner;
  readonly xla: boolean;
  /** Tokens of prompt and answer together, at most those that the model has positions for. */
  readonly context: number;
  /** How many answers are written at once, always. */
  readonly sequences: number;
}

export interface ChatModel {
  /** How many sequences it writes at once. */
  readonly sequences: number;
  /** Tokens of prompt and answer together. */
  readonly capacity: number;
  /** What its own generation_config.json asks for and does not get, such as a repetition penalty. */
  readonly unheededSettings: readonly string[];
  readonly encode: (messages: readonly ChatMessage[]) => Int32Array;
  readonly generate: (request: GenerationRequest) => AsyncIterable<GenerationEvent>;
  readonly dispose: () => void;
}

/** @throws model-file-missing for a model without chat template, weights or tokenizer; what loading a model throws */
export async function openChatModel(
  directory: string,
  { runner, xla, context, sequences }: ChatModelSettings,
): Promise<ChatModel> {
  const [tokenizer, template] = [await openTokenizer(directory), await openChatTemplate(directory)];
  const { config, tensors, generationConfig, close } = await openModelDirectory(directory);
  try {
    const capacity = Math.min(context, config.maximumPositions);
    const ends = generationConfig?.endOfSequence ?? [];
    const generator = await createGenerator({
      runner,
      config,
      weights: tensors.readFloat32Rows,
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
      unheededSettings: unheededSettings(generationConfig),
      encode: (messages) =>
        tokenizer.encode(template.render(messages, { addGenerationPrompt: true }), { addSpecialTokens: false }),
      generate: (request) => generator.generate(request),
      dispose: () => generator.dispose(),
    };
  } finally {
    await close();
  }
}

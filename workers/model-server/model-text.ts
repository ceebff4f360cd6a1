/** The text side of a model: prompts from texts and conversations, and what tokens are called in a reply. */
import { hasCode } from '../../config/errors.js';
import {
  openChatTemplate,
  openTokenizer,
  type ChatMessage,
  type ChatTemplate,
  type Tokenizer,
} from '../../engine/index.js';
import { badRequest } from './api-error.js';

export interface TokenName {
  readonly token: string;
  /** UTF-8, null for a token that is part of a character. */
  readonly bytes: readonly number[] | null;
}

export class ModelText {
  private constructor(
    readonly tokenizer: Tokenizer,
    readonly template: ChatTemplate | undefined,
  ) {}

  /** @throws model-file-missing for the tokenizer, tokenizer-invalid, chat-template-invalid */
  static async open(directory: string): Promise<ModelText> {
    return new ModelText(await openTokenizer(directory), await templateOf(directory));
  }

  /** With what the tokenizer puts around a text. */
  promptOf(text: string): Int32Array {
    return this.#encode(text, true);
  }

  /** @throws ApiError 400, chat-template-invalid when the template refuses the conversation */
  chatPromptOf(messages: readonly ChatMessage[]): Int32Array {
    if (this.template === undefined)
      throw badRequest(
        'chat_template_missing',
        'Expected a model with a chat template, found one without. Ask /v1/completions.',
        'messages',
      );
    return this.#encode(this.template.render(messages, { addGenerationPrompt: true }), false);
  }

  nameOf(id: number, asId: boolean): TokenName {
    const text = this.tokenizer.decode([id]);
    const bytes = text.includes('\uFFFD') ? null : [...Buffer.from(text)];
    return { token: asId ? `token_id:${id}` : text, bytes };
  }

  #encode(text: string, addSpecialTokens: boolean): Int32Array {
    try {
      return this.tokenizer.encode(text, { addSpecialTokens });
    } catch (error) {
      if (hasCode(error, 'tokenizer-invalid')) throw badRequest('invalid_value', error.message);
      throw error;
    }
  }
}

/** Undefined when the model has none. */
async function templateOf(directory: string): Promise<ChatTemplate | undefined> {
  try {
    return await openChatTemplate(directory);
  } catch (error) {
    if (hasCode(error, 'model-file-missing')) return undefined;
    throw error;
  }
}

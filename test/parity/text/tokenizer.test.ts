import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openChatTemplate } from '../../../engine/text/chat-template.js';
import { openTokenizer } from '../../../engine/text/tokenizer.js';
import { modelFixtures } from '../../support/npy.js';

interface Cases {
  readonly cases: readonly { readonly text: string; readonly ids: number[]; readonly decoded: string }[];
  readonly chats: readonly {
    readonly messages: readonly { readonly role: string; readonly content: string }[];
    readonly rendered: string;
    readonly ids: number[];
  }[];
}

const { cases, chats } = JSON.parse(readFileSync(join(modelFixtures, 'tokenizer_cases.json'), 'utf8')) as Cases;
const directory = join(modelFixtures, 'qwen2-gqa-tied');

describe('texts of the reference tokenizer', () => {
  it('have the same ids, and the ids the same text, at once and one by one', async () => {
    const tokenizer = await openTokenizer(directory);
    expect(cases.length).toBe(200);
    for (const { text, ids, decoded } of cases) {
      expect({ text, ids: [...tokenizer.encode(text)] }).toEqual({ text, ids });
      expect({ text, decoded: tokenizer.decode(ids) }).toEqual({ text, decoded });
      const stream = tokenizer.streamDecoder();
      expect(ids.map((id) => stream.push(id)).join('') + stream.end()).toBe(decoded);
    }
    expect(tokenizer.vocabularySize).toBe(1024);
  });

  it('are rendered from conversations as there', async () => {
    const tokenizer = await openTokenizer(directory);
    const template = await openChatTemplate(directory);
    expect(chats.length).toBe(2);
    for (const { messages, rendered, ids } of chats) {
      const text = template.render(messages, { addGenerationPrompt: true });
      expect(text).toBe(rendered);
      expect([...tokenizer.encode(text, { addSpecialTokens: false })]).toEqual(ids);
    }
  });
});

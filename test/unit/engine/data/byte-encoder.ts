/** A tokenizer whose tokens are the bytes of the text, and whose template puts a 0 behind every message. */
import type { Conversation } from '../../../../engine/data/conversations.js';
import type { ConversationEncoder, Span } from '../../../../engine/data/samples.js';

export const byteEncoder = (vocabularySize = 256): ConversationEncoder => ({
  digest: 'bytes',
  templateDigest: 'zero-ended',
  vocabularySize,
  encodeConversation(conversation) {
    if ('text' in conversation) {
      const ids = Int32Array.from(Buffer.from(conversation.text));
      return { ids, trained: ids.length === 0 ? [] : [{ start: 0, end: ids.length }] };
    }
    const ids: number[] = [];
    const trained: Span[] = [];
    for (const { role, content } of conversation.messages) {
      const start = ids.length;
      ids.push(...Buffer.from(content), 0);
      if (role === 'assistant') trained.push({ start, end: ids.length });
    }
    return { ids: Int32Array.from(ids), trained };
  },
});

export const chat = (id: string, ...turns: readonly string[]): Conversation => ({
  id,
  messages: turns.map((content, index) => ({ role: index % 2 === 0 ? 'user' : 'assistant', content })),
});

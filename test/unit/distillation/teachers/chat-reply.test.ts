import { chatWire, readReply } from '../../../../distillation/teachers/chat-reply.js';
import type { JsonObject } from '../../../../storage/index.js';

const completion = (message: JsonObject) => ({ model: 'm', choices: [{ finish_reason: 'stop', message }] });

describe('a message in parts', () => {
  it('says its texts one after another, and nothing of what the model thought before', () => {
    const content = [
      { type: 'thinking', thinking: [{ type: 'text', text: 'Hm.' }] },
      { type: 'text', text: 'Fo' },
      { type: 'text', text: 'ur.', refusal: null },
      { type: 'chart', text: { of: 'numbers' } },
    ];
    expect(readReply(completion({ content }))).toMatchObject({ outcome: 'answered', text: 'Four.' });
  });

  it('may be a refusal', () => {
    const content = [{ type: 'refusal', refusal: 'I will not.' }];
    expect(readReply(completion({ content }))).toMatchObject({ outcome: 'refused', text: 'I will not.' });
  });

  it('without a text is empty', () => {
    for (const content of [[], [{ type: 'image_url', image_url: {} }], [{ type: 'text' }]])
      expect(readReply(completion({ content }))).toMatchObject({ outcome: 'empty', text: '' });
  });

  it('is none where a part has no type', () => {
    expect(() => readReply(completion({ content: [{ text: 'Four.' }] }))).toThrow('a chat completion');
  });
});

describe('an answer that ends because of', () => {
  const ending = (finish_reason: string) => ({
    model: 'm',
    choices: [{ finish_reason, message: { content: 'SELECT name FROM cust' } }],
  });

  it.each([
    ...['stop', 'end_turn', 'eos', 'stop_sequence'].map((reason) => [reason, 'answered']),
    ...['length', 'model_length', 'model_context_window_exceeded', 'max_tokens'].map((reason) => [reason, 'cut-off']),
    ...['content_filter', 'sensitive'].map((reason) => [reason, 'refused']),
  ])('%s is %s', (reason, outcome) => {
    expect(chatWire.read(ending(reason))).toMatchObject({ outcome, finishReason: reason });
    expect(chatWire.recall(ending(reason))).toMatchObject({ outcome });
  });

  it.each(['error', 'network_error', 'insufficient_system_resource', 'abort'])(
    '%s has broken off: it is asked for again, and one that was recorded as whole is cut off',
    (reason) => {
      expect(() => chatWire.read(ending(reason))).toThrow(
        expect.objectContaining({ code: 'teacher-unavailable', message: expect.stringContaining(`(${reason})`) }),
      );
      expect(chatWire.recall(ending(reason))).toMatchObject({ outcome: 'cut-off' });
    },
  );
});

import fc from 'fast-check';
import { hasCode } from '../../../../config/errors.js';
import {
  emptyCounts,
  readConversations,
  type Conversation,
  type ConversationSettings,
} from '../../../../engine/data/conversations.js';
import type { RowRecord } from '../../../../engine/data/row.js';

async function read(
  records: readonly RowRecord[],
  settings: ConversationSettings = { unusable: 'refuse' },
  counts = emptyCounts(),
): Promise<Conversation[]> {
  const rows = records.map((record, index) => ({ number: index + 1, record }));
  const conversations: Conversation[] = [];
  for await (const conversation of readConversations(rows, settings, counts)) conversations.push(conversation);
  return conversations;
}

const user = { role: 'user', content: 'q' };
const assistant = { role: 'assistant', content: 'a' };
const chat = [user, assistant];

describe('conversations', () => {
  test.each<[string, RowRecord, object]>([
    ['OpenAI messages', { messages: chat }, { messages: chat }],
    [
      'text parts of OpenAI messages',
      { messages: [{ role: 'user', content: [{ type: 'text', text: 'q' }] }, assistant], tools: [] },
      { messages: chat },
    ],
    [
      'an empty system message, which templates tell from none',
      { messages: [{ role: 'system', content: '' }, ...chat] },
      { messages: [{ role: 'system', content: '' }, ...chat] },
    ],
    [
      'ShareGPT',
      {
        system: 's',
        conversations: [
          { from: 'human', value: 'q' },
          { from: 'gpt', value: 'a' },
        ],
      },
      { messages: [{ role: 'system', content: 's' }, ...chat] },
    ],
    ['Alpaca without input', { instruction: 'q', input: '', output: 'a', text: 'x' }, { messages: chat }],
    [
      'Alpaca with input',
      { instruction: 'q', input: 'i', output: 'a' },
      { messages: [{ role: 'user', content: 'q\n\ni' }, assistant] },
    ],
    ['pairs', { prompt: 'q', response: 'a' }, { messages: chat }],
    ['pairs with a completion', { prompt: 'q', completion: 'a' }, { messages: chat }],
    ['plain text', { text: 'once' }, { text: 'once' }],
  ])('%s become one form', async (_, record, content) => {
    expect(await read([record])).toEqual([{ id: '1', ...content }]);
  });

  test('the id is that of the row, or else its number', async () => {
    const records = [{ text: 'a', id: 'x' }, { text: 'b', id: 7 }, { text: 'c' }];
    expect((await read(records)).map(({ id }) => id)).toEqual(['x', '7', '3']);
    await expect(read([{ text: 'a', id: {} }])).rejects.toMatchObject({ code: 'dataset-row-invalid' });
  });

  test('a row of no known shape is refused with its number, its fields and the shapes known, even where rows are skipped', async () => {
    await expect(read([{ text: 'a' }, { question: 1, reply: 2 }], { unusable: 'skip' })).rejects.toMatchObject({
      code: 'dataset-row-invalid',
      message:
        'row 2: expected one of the shapes messages (messages: [{role, content}]), sharegpt (conversations: [{from, value}]), ' +
        'alpaca (instruction, input, output), pair (prompt, response), text (text), found the fields question, reply',
    });
  });

  test('a named shape is the only one that is read', async () => {
    const record = { text: 'whole', messages: chat };
    expect(await read([record], { unusable: 'refuse', shape: 'text' })).toEqual([{ id: '1', text: 'whole' }]);
    await expect(read([record], { unusable: 'refuse', shape: 'alpaca' })).rejects.toThrow(
      'row 1: expected one of the shapes alpaca (instruction, input, output), found the fields text, messages',
    );
  });

  const unusable: [string, RowRecord][] = [
    ['content-part', { messages: [{ role: 'user', content: [{ type: 'image_url' }] }, assistant] }],
    ['tool-call', { messages: [user, { ...assistant, tool_calls: [{}] }] }],
    ['tool-call', { messages: [user, { ...assistant, content: '', extra: { tool_calls: [{}] } }] }],
    ['tool-message', { messages: [...chat, { role: 'tool', content: 'x' }, assistant] }],
    ['tool-declaration', { messages: chat, tools: [{}] }],
    ['empty-turn', { messages: [user, { role: 'assistant', content: ' ' }] }],
    ['empty-turn', { messages: [user, { role: 'assistant', content: null }] }],
    ['empty-turn', { text: '' }],
    ['no-answer', { messages: [user] }],
    ['no-answer', { messages: [] }],
    ['no-answer', { prompt: 'q' }],
  ];

  test.each(unusable)('%s is a reason that refuses a row, or skips and counts it: %j', async (reason, record) => {
    await expect(read([record])).rejects.toThrow(`row 1: expected a row to train on, found ${reason}`);
    const counts = emptyCounts();
    expect(await read([record, { text: 'kept' }], { unusable: 'skip' }, counts)).toHaveLength(1);
    expect(counts).toEqual({ rows: 2, conversations: 1, skipped: { [reason]: 1 }, unreadFields: {} });
  });

  test('fields of messages that are not read are counted by name', async () => {
    const counts = emptyCounts();
    const weighted = { ...assistant, weight: 0, name: null, extra: { reasoning_content: 'r' } };
    await read([{ messages: [user, weighted, weighted] }], { unusable: 'refuse' }, counts);
    expect(counts.unreadFields).toEqual({ weight: 2, reasoning_content: 2 });
    const strange = JSON.parse('{"role":"user","content":"x","constructor":1,"toString":1,"__proto__":1}') as object;
    await read([{ messages: [strange, strange, assistant] }], { unusable: 'refuse' }, counts);
    expect(Object.entries(counts.unreadFields)).toEqual([
      ['weight', 2],
      ['reasoning_content', 2],
      ['constructor', 2],
      ['toString', 2],
      ['…', 2],
    ]);
  });

  test.each<RowRecord>([
    { messages: 'x' },
    { messages: [1] },
    { messages: [{ role: 'narrator', content: 'x' }] },
    { messages: [{ role: 'user', content: 5 }] },
    { messages: [{ role: 'user', content: ['x'] }] },
    { conversations: [{ from: 'gpt', value: {} }] },
    { instruction: 'x', input: 5, output: 'y' },
    { text: 5 },
  ])('a value of another type than its shape has is refused by row and place: %j', async (record) => {
    await expect(read([record], { unusable: 'skip' })).rejects.toMatchObject({
      code: 'dataset-row-invalid',
      message: expect.stringMatching(/^row 1: expected (messages|conversations|input|text).*, found /),
    });
  });

  test('whatever a row holds, it becomes a conversation, is counted, or is refused with a code', async () => {
    const names = [
      'messages',
      'conversations',
      'instruction',
      'output',
      'prompt',
      'response',
      'text',
      'role',
      'content',
    ];
    const value = fc.letrec((tie) => ({
      any: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom(null, '', 'user', 'assistant', 5, true),
        fc.array(tie('any'), { maxLength: 2 }),
        fc.dictionary(fc.constantFrom(...names, '__proto__', 'tool_calls'), tie('any'), { maxKeys: 3 }),
      ),
    })).any;
    await fc.assert(
      fc.asyncProperty(fc.dictionary(fc.constantFrom(...names), value), async (record) => {
        const counts = emptyCounts();
        const outcome = await read([record], { unusable: 'skip' }, counts).catch((error: unknown) => error);
        if (!Array.isArray(outcome)) expect(hasCode(outcome, 'dataset-row-invalid')).toBe(true);
        else expect(counts.conversations + Object.values(counts.skipped).length).toBe(1);
      }),
      { numRuns: 500, seed: 2 },
    );
  });
});

import { contentId, parseRow, rowText } from '../../../distillation/row.js';

const lineOf = (content: string | Uint8Array) => ({
  number: 7,
  end: 0,
  bytes: typeof content === 'string' ? Buffer.from(content) : content,
});

/** The row as JSON, under the id `x` where it gives none. */
function normalised(row: unknown): unknown {
  const parsed = parseRow(lineOf(JSON.stringify(row)));
  return parsed && JSON.parse(rowText(parsed.givenId ?? 'x', parsed));
}

const user = (content: string) => ({ role: 'user', content });
const assistant = (content: string) => ({ role: 'assistant', content });
const system = (content: string) => ({ role: 'system', content });

describe('a row is read', () => {
  it('from OpenAI messages, with text parts, tool calls and names', () => {
    expect(
      normalised({
        id: 'a',
        messages: [
          user('q'),
          {
            role: 'user',
            content: [
              { type: 'text', text: 'two ' },
              { type: 'text', text: 'parts' },
            ],
            name: 'Ada',
          },
          { role: 'assistant', content: null, tool_calls: [{ id: 1 }] },
        ],
      }),
    ).toEqual({
      id: 'a',
      messages: [
        user('q'),
        { ...user('two parts'), extra: { name: 'Ada' } },
        { ...assistant(''), extra: { tool_calls: [{ id: 1 }] } },
      ],
    });
  });

  it('from ShareGPT conversations', () => {
    const row = {
      system: 's',
      conversations: [
        { from: 'human', value: 'q' },
        { from: 'gpt', value: 'a', weight: 1 },
      ],
    };
    expect(normalised(row)).toEqual({
      id: 'x',
      messages: [system('s'), user('q'), { ...assistant('a'), extra: { weight: 1 } }],
    });
  });

  it('from Alpaca instructions, with and without input', () => {
    const row = { instruction: 'Add.', input: '1 2', output: '3' };
    expect(normalised(row)).toEqual({ id: 'x', messages: [user('Add.\n\n1 2'), assistant('3')] });
    expect(normalised({ instruction: 'Sing.', input: '' })).toEqual({ id: 'x', messages: [user('Sing.')] });
  });

  it.each(['response', 'completion'])('from a prompt and a %s', (key) => {
    expect(normalised({ prompt: 'q', [key]: 'a' })).toEqual({ id: 'x', messages: [user('q'), assistant('a')] });
  });

  it('with every key that its form does not know', () => {
    const row = '{"id": 5, "prompt": "q", "__proto__": 1, "topic": {"b": 1, "a": [2]}}';
    const parsed = parseRow(lineOf(row));
    expect(parsed && rowText('5', parsed)).toBe(
      '{"extra":{"__proto__":1,"topic":{"a":[2],"b":1}},"id":"5","messages":[{"content":"q","role":"user"}]}\n',
    );
  });

  it('as nothing when the line is blank', () => {
    expect(parseRow(lineOf(' \t'))).toBeUndefined();
  });
});

describe('the id of a row that has none', () => {
  const idOf = (row: unknown): string | undefined => {
    const parsed = parseRow(lineOf(JSON.stringify(row)));
    return parsed && contentId(parsed);
  };

  it('depends on its content, not on the form or the order of keys', () => {
    expect(idOf({ prompt: 'q', response: 'a' })).toMatch(/^[0-9a-f]{32}$/);
    expect(idOf({ response: 'a', prompt: 'q' })).toBe(idOf({ messages: [user('q'), assistant('a')] }));
    expect(idOf({ prompt: 'q', response: 'b' })).not.toBe(idOf({ prompt: 'q', response: 'a' }));
  });
});

describe('a row is refused with its line, what was expected and the type of what was found', () => {
  it.each([
    ['not JSON', '{"prompt"', 'a JSON object', 'characters that are not JSON'],
    ['a list', '[1]', 'a JSON object', 'a list of 1'],
    ['an unknown form', '{"question": "q"}', 'messages, conversations, instruction, prompt', 'question'],
    ['no key', '{}', 'messages, conversations, instruction, prompt', 'no key'],
    ['no messages', '{"messages": []}', 'messages: a list of at least one', 'a list of 0'],
    ['a message that is text', '{"messages": ["secret"]}', 'messages[0]: an object', 'a text of 6 characters'],
    ['an unknown role', '{"messages": [{"role": "secret"}]}', 'messages[0].role: one of system', 'a text of 6'],
    [
      'a picture',
      '{"messages": [{"role": "user", "content": [{"type": "image"}]}]}',
      'a part of type text',
      'an object',
    ],
    ['no content', '{"messages": [{"role": "user"}]}', 'messages[0].content: a text', 'nothing'],
    ['an unknown speaker', '{"conversations": [{"from": "x", "value": ""}]}', 'conversations[0].from', 'a text of 1'],
    ['a turn that is a number', '{"conversations": [1]}', 'conversations[0]: an object', 'a number'],
    ['a prompt that is null', '{"prompt": null}', 'prompt: a text', 'null'],
    ['an answer that is a number', '{"prompt": "secret", "response": 1}', 'response: a text', 'a number'],
    ['an id that is empty', '{"id": "", "prompt": "q"}', 'id: a text of 1 to 512', 'a text of 0'],
    ['an id beyond 2^53', '{"id": 12345678901234567890, "prompt": "q"}', 'id: a text', 'a number'],
    ['a number without end', '{"prompt": "q", "n": 1e999}', 'numbers below', 'a greater one'],
    ['nesting without end', `{"prompt": "q", "n": ${'['.repeat(9000)}${']'.repeat(9000)}}`, '100 levels', 'more'],
  ])('%s', (_, text, expected, found) => {
    const read = (): unknown => parseRow(lineOf(text));
    expect(read).toThrow(expect.objectContaining({ code: 'dataset-row-invalid', details: { line: 7 } }));
    expect(read).toThrow(new RegExp(`^line 7: expected .*${escape(expected)}.*, found .*${escape(found)}`));
    expect(read).not.toThrow(/secret/);
  });

  it('bytes that are not UTF-8', () => {
    const read = (): unknown => parseRow(lineOf(Buffer.from([0x7b, 0xff, 0x7d])));
    expect(read).toThrow(expect.objectContaining({ code: 'dataset-row-invalid' }));
    expect(read).toThrow(/expected UTF-8/);
  });
});

const escape = (text: string): string => text.replaceAll(/[[\].^$*+?(){}|\\]/g, '\\$&');

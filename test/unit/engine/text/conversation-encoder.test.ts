import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createChatTemplate, openChatTemplate, type ChatTemplate } from '../../../../engine/text/chat-template.js';
import { createConversationEncoder } from '../../../../engine/text/conversation-encoder.js';
import { createTokenizer, openTokenizer, type Tokenizer } from '../../../../engine/text/tokenizer.js';
import { modelFixtures } from '../../../support/npy.js';

const model = join(modelFixtures, 'qwen2-gqa-tied');

const fixtureFile = JSON.parse(readFileSync(join(model, 'tokenizer.json'), 'utf8')) as {
  added_tokens: { id: number; content: string }[];
};

/** The tokenizer of the fixtures, with more special tokens. */
const tokenizerWith = (...names: string[]): Tokenizer => {
  const pattern = fixtureFile.added_tokens[0];
  const more = names.map((content, index) => ({ ...pattern, id: 1024 + index, content }));
  return createTokenizer({ ...fixtureFile, added_tokens: [...fixtureFile.added_tokens, ...more] });
};

const realTemplate = (
  name: string,
  settings: { tokens?: Record<string, string>; variables?: Record<string, unknown> } = {},
) =>
  createChatTemplate(readFileSync(join(modelFixtures, 'chat-templates', `${name}.jinja`), 'utf8'), {
    name,
    ...settings,
  });

const user = (content: string) => ({ role: 'user' as const, content });
const assistant = (content: string) => ({ role: 'assistant' as const, content });
const system = (content: string) => ({ role: 'system' as const, content });

const twoTurns = [system('Be brief.'), user('Hi'), assistant('Hello'), user('2+2?'), assistant('4')];

/** The texts that are learned, and the whole, after a check that both are the same tokens. */
function learned(
  template: ChatTemplate,
  messages: readonly ReturnType<typeof user | typeof assistant | typeof system>[],
  { tokenizer = tokenizerWith(), answers = 'all' }: { tokenizer?: Tokenizer; answers?: 'all' | 'last' } = {},
) {
  const encoder = createConversationEncoder({ tokenizer, template, answers });
  const { ids, trained } = encoder.encodeConversation({ id: '1', messages });
  const text = tokenizer.decode(ids);
  expect(text).toBe(template.render(messages, { addGenerationPrompt: false }));
  return { text, answers: trained.map(({ start, end }) => tokenizer.decode(ids.subarray(start, end))), ids, trained };
}

describe('answers of a conversation', () => {
  it('are learned with the token that ends each, and nothing else is: the template of the fixtures', async () => {
    const template = await openChatTemplate(model);
    const tokenizer = await openTokenizer(model);
    const { answers, ids, trained } = learned(template, twoTurns, { tokenizer });
    expect(answers).toEqual(['Hello<|im_end|>', '4<|im_end|>']);
    const [first] = trained;
    expect(ids[(first?.end ?? 0) - 1]).toBe(tokenizer.idOf('<|im_end|>'));
    expect(ids).toEqual(tokenizer.encode(tokenizer.decode(ids), { addSpecialTokens: false }));
  });

  it('are learned of Qwen2.5, whose template adds a system message of its own', () => {
    const { text, answers } = learned(realTemplate('qwen2.5'), twoTurns.slice(1));
    expect(text).toMatch(/^<\|im_start\|>system\nYou are Qwen, created by Alibaba Cloud/);
    expect(answers).toEqual(['Hello<|im_end|>', '4<|im_end|>']);
  });

  it('are learned of Llama 3, with the day the template was written and never with today', () => {
    const tokenizer = tokenizerWith('<|begin_of_text|>', '<|start_header_id|>', '<|end_header_id|>', '<|eot_id|>');
    const tokens = { bos_token: '<|begin_of_text|>' };
    const { text, answers } = learned(realTemplate('llama3.2', { tokens }), twoTurns, { tokenizer });
    expect(text).toContain('Today Date: 26 Jul 2024\n\nBe brief.<|eot_id|>');
    expect(answers).toEqual(['Hello<|eot_id|>', '4<|eot_id|>']);
    const dated = realTemplate('llama3.2', { tokens, variables: { date_string: '1 Jan 2000' } });
    expect(learned(dated, twoTurns, { tokenizer }).text).toContain('Today Date: 1 Jan 2000\n');
  });

  it('are learned of Llama 2, where the end of sequence stands behind a space', () => {
    const tokenizer = tokenizerWith('<s>', '</s>');
    const template = realTemplate('llama2', { tokens: { bos_token: '<s>', eos_token: '</s>' } });
    expect(learned(template, twoTurns, { tokenizer }).answers).toEqual([' Hello </s>', ' 4 </s>']);
    expect(() => learned(template, [user('a'), user('b'), assistant('c')], { tokenizer })).toThrow(
      expect.objectContaining({
        code: 'chat-template-invalid',
        message: expect.stringContaining('must alternate') as string,
      }) as Error,
    );
  });

  it('are tokens of the whole where a tokenizer writes the beginning of a text otherwise, as that of Llama 2 does', () => {
    const names = ['<unk>', '<s>', '</s>', ...Array.from('▁[]/INSTHelobrif.2+?4')];
    const added = ['<s>', '</s>'].map((content) => ({
      ...fixtureFile.added_tokens[0],
      id: names.indexOf(content),
      content,
    }));
    const tokenizer = createTokenizer({
      ...fixtureFile,
      added_tokens: added,
      normalizer: {
        type: 'Sequence',
        normalizers: [
          { type: 'Prepend', prepend: '▁' },
          { type: 'Replace', pattern: { String: ' ' }, content: '▁' },
        ],
      },
      pre_tokenizer: null,
      post_processor: null,
      decoder: { type: 'Replace', pattern: { String: '▁' }, content: ' ' },
      model: {
        type: 'BPE',
        unk_token: '<unk>',
        vocab: Object.fromEntries(names.map((name, id) => [name, id])),
        merges: [],
      },
    });
    const template = realTemplate('llama2', { tokens: { bos_token: '<s>', eos_token: '</s>' } });
    const messages = twoTurns.slice(1);
    const { ids, trained } = createConversationEncoder({ tokenizer, template }).encodeConversation({
      id: '1',
      messages,
    });
    const whole = template.render(messages, { addGenerationPrompt: false });
    expect(ids).toEqual(tokenizer.encode(whole, { addSpecialTokens: false }));
    expect(trained.map(({ start, end }) => tokenizer.decode(ids.subarray(start, end)))).toEqual([
      ' Hello </s>',
      ' 4 </s>',
    ]);
  });

  it('are those between the marks of a template that marks them', () => {
    const template = realTemplate('marked');
    expect(template.marksAnswers).toBe(true);
    expect(learned(template, twoTurns).answers).toEqual(['Hello<|im_end|>', '4<|im_end|>']);
    expect(learned(template, twoTurns, { answers: 'last' }).answers).toEqual(['4<|im_end|>']);
    expect(learned(template, [user('\uE0000\uE001<'), assistant('\uE0001\uE001>')]).answers).toEqual([
      '\uE0001\uE001><|im_end|>',
    ]);
  });

  it.each(['\n\nHello', ' Hello', '\u0301e', 'は', '<|im_end|>', 'a\n', '   '])(
    'begin where they begin even when tokens would flow over: %j',
    async (content) => {
      const template = await openChatTemplate(model);
      const { answers } = learned(template, [user('hi\n'), assistant(content)]);
      expect(answers).toEqual([`${content}<|im_end|>`]);
    },
  );

  it('cost the encoding of each character once where the text comes back to the letter', async () => {
    const template = await openChatTemplate(model);
    const tokenizer = await openTokenizer(model);
    let encoded = 0;
    const counting: Tokenizer = {
      ...tokenizer,
      encode: (text, options) => {
        encoded += text.length;
        return tokenizer.encode(text, options);
      },
    };
    const { text } = learned(template, twoTurns, { tokenizer: counting });
    expect(encoded).toBe(text.length);
  });

  it('may stand first, or be absent', async () => {
    const template = await openChatTemplate(model);
    expect(learned(template, [user('hi')]).answers).toEqual([]);
  });
});

describe('a template that rewrites history', () => {
  const qwen3 = realTemplate('qwen3');
  const thoughts = [
    user('a'),
    assistant('<think>\nx\n</think>\n\nb'),
    user('c'),
    assistant('<think>\ny\n</think>\n\nd'),
  ];

  it('is refused by name where all answers are to be learned: Qwen3 strips what it thought before', () => {
    expect(() => learned(qwen3, thoughts)).toThrow(
      expect.objectContaining({
        code: 'chat-template-rewrites',
        message: expect.stringContaining('qwen3') as string,
      }) as Error,
    );
  });

  it('gives the last answer, with its thoughts, behind a history without them', () => {
    const { text, answers } = learned(qwen3, thoughts, { answers: 'last' });
    expect(text).toContain('<|im_start|>assistant\nb<|im_end|>');
    expect(answers).toEqual(['<think>\ny\n</think>\n\nd<|im_end|>']);
  });

  it('gives the answer of a single turn, and one without thoughts as the model would begin it', () => {
    expect(learned(qwen3, [user('a'), assistant('b')]).answers).toEqual(['<think>\n\n</think>\n\nb<|im_end|>']);
    const silent = realTemplate('qwen3', { variables: { enable_thinking: false } });
    expect(learned(silent, [user('a'), assistant('b')]).answers).toEqual(['b<|im_end|>']);
  });

  it('is refused when its marks change what it writes, or do not come in pairs', () => {
    const broken = (source: string) => createChatTemplate(source, { name: 'broken' });
    const open = broken('{% for m in messages %}{% generation %}{{ m.content }}{% endfor %}');
    expect(() => learned(open, [user('a'), assistant('b')])).toThrow(
      expect.objectContaining({ code: 'chat-template-invalid' }) as Error,
    );
  });
});

describe('a conversation encoder', () => {
  it('learns a plain text whole, with the token that ends it', () => {
    const tokenizer = tokenizerWith();
    const template = realTemplate('qwen2.5');
    const encoder = createConversationEncoder({ tokenizer, template, endOfText: '<|endoftext|>' });
    const { ids, trained } = encoder.encodeConversation({ id: '1', text: 'abc' });
    expect(tokenizer.decode(ids)).toBe('abc<|endoftext|>');
    expect(trained).toEqual([{ start: 0, end: ids.length }]);
    expect(() => createConversationEncoder({ tokenizer, template, endOfText: '<|none|>' })).toThrow(
      expect.objectContaining({ code: 'tokenizer-invalid' }) as Error,
    );
  });

  it('has another digest for another template, variable, or choice of answers', () => {
    const tokenizer = tokenizerWith();
    const digest = (template: ChatTemplate, answers: 'all' | 'last' = 'all') =>
      createConversationEncoder({ tokenizer, template, answers }).templateDigest;
    const digests = [
      digest(realTemplate('qwen3')),
      digest(realTemplate('qwen2.5')),
      digest(realTemplate('qwen3', { variables: { enable_thinking: false } })),
      digest(realTemplate('qwen3'), 'last'),
    ];
    expect(new Set(digests).size).toBe(4);
    expect(digest(realTemplate('qwen3'))).toBe(digests[0]);
  });
});

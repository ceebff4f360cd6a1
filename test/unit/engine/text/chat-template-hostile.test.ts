import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { createChatTemplate, openChatTemplate } from '../../../../engine/text/chat-template.js';
import type { Message } from '../../../../engine/data/shapes.js';
import { createConversationEncoder } from '../../../../engine/text/conversation-encoder.js';
import { createTokenizer } from '../../../../engine/text/tokenizer.js';
import { judged } from '../../../support/judged.js';
import { modelFixtures } from '../../../support/npy.js';
import { temporaryDirectory } from '../../../support/temporary.js';

const directory = temporaryDirectory();
const path = join(directory, 'chat_template.jinja');
const tokenizer = createTokenizer(
  JSON.parse(readFileSync(join(modelFixtures, 'qwen2-gqa-tied', 'tokenizer.json'), 'utf8')),
);
const messages: readonly Message[] = [
  { role: 'system', content: 'Be brief.' },
  { role: 'user', content: 'Hi __proto__ {{ 7 * 7 }} <|im_end|>' },
  { role: 'assistant', content: '<think>\nhm\n</think>\n\nHello' },
  { role: 'user', content: 'And?' },
  { role: 'assistant', content: 'Bye' },
];

/** Opens a template and makes samples with it: spans that lie within their tokens, or a code. */
const judge = (source: string | Uint8Array, answers: 'all' | 'last' = 'all', talk = messages) => {
  writeFileSync(path, source);
  return judged({
    names: [path],
    codes: ['chat-template-invalid', 'chat-template-rewrites'],
    act: async () => {
      const template = await openChatTemplate(directory, { tools: [{ name: 'f', parameters: { type: 'object' } }] });
      return createConversationEncoder({ tokenizer, template, answers }).encodeConversation({
        id: '1',
        messages: talk,
      });
    },
    check: ({ ids, trained }) => {
      let last = 0;
      for (const { start, end } of trained) {
        expect(start >= last && end > start && end <= ids.length).toBe(true);
        last = end;
      }
    },
  });
};

const loop = (body: string): string => `{% for m in messages %}${body}{% endfor %}`;
const deep = (open: string, close: string, levels = 20_000): string =>
  `{{ ${open.repeat(levels)}1${close.repeat(levels)} }}`;
const doubled = (start: string, step: string, last: string): string =>
  `{% set ns = namespace(a=${start}) %}{% for i in range(64) %}{% set ns.a = ${step} %}{% endfor %}{{ ${last} }}`;

describe('a chat template from a stranger', () => {
  it.each([
    ['an open tag', '{% if x'],
    ['an open expression', '{{ messages[0'],
    ['an open block', '{% for m in messages %}'],
    ['an open comment', '{# x'],
    ['an end of nothing', '{% endfor %}'],
    ['an unknown tag', '{% include "/etc/passwd" %}'],
    ['an unknown filter', '{{ messages | magic }}'],
    ['an unknown test', '{{ messages is magic }}'],
    ['a call of what is no function', '{{ messages() }}'],
    ['a break out of no loop', '{% break %}'],
    ['words of refusal', '{{ raise_exception("no") }}'],
    ['long words of refusal', '{{ raise_exception("no" | replace("n", "' + 'n'.repeat(50_000) + '")) }}'],
    ['the constructor of objects called', '{{ messages.constructor("return process")() }}'],
    ['the prototype of objects called', '{{ messages[0].__proto__.toString() }}'],
    ['a clock called', '{{ strftime_now("%Y") }}'],
    ['a set of what is none', '{% set messages[0].content = "x" %}'],
    ['a giant range', '{% for i in range(10**9) %}x{% endfor %}'],
    ['a range of infinite steps', '{{ range(0, 1, 10 ** -300) }}'],
    ['a range of texts', '{{ range("a", "b") }}'],
    ['nested loops', `${'{% for a in range(1000) %}'.repeat(3)}x${'{% endfor %}'.repeat(3)}`],
    ['nested loops of nothing', `${'{% for a in range(100000) %}'.repeat(3)}${'{% endfor %}'.repeat(3)}`],
    ['nested loops with conditions', `${'{% for a in range(9999) if a < 0 %}'}{% endfor %}`.repeat(3000)],
    ['recursion without end', '{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}'],
    [
      'recursion that branches',
      '{% macro m(n) %}{% if n > 0 %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}{{ m(60) }}',
    ],
    ['a caller without end', '{% macro m() %}{% call m() %}{% endcall %}{% endmacro %}{{ m() }}'],
    ['a text that doubles', doubled('"x"', 'ns.a ~ ns.a', 'ns.a | length')],
    ['a text that grows by replacing', doubled('"x"', 'ns.a | replace("x", "xx")', 'ns.a | length')],
    ['a list that doubles', doubled('[1]', 'ns.a + ns.a', 'ns.a | length')],
    ['a list of lists of itself', doubled('[1]', '[ns.a, ns.a]', 'ns.a | tojson')],
    ['a list of lists of itself, compared', doubled('[1]', '[ns.a, ns.a]', 'ns.a == "x"')],
    ['a mapping of mappings of itself', doubled('{}', '{"a": ns.a, "b": ns.a}', 'ns.a | tojson')],
    ['a namespace within itself', '{% set ns = namespace() %}{% set ns.a = ns %}{{ ns }}'],
    ['a list that holds itself', '{% set ns = namespace() %}{% set ns.a = [ns] %}{{ ns.a }}'],
    ['a giant indentation', '{{ messages | tojson(indent=10**9) }}'],
    ['deep parentheses', deep('(', ')')],
    ['deep lists', deep('[', ']')],
    ['deep signs', deep('- ', '')],
    ['deep negations', deep('not ', '')],
    ['a long sum', deep('1 + ', '')],
    ['deep blocks', `${'{% if true %}'.repeat(20_000)}x${'{% endif %}'.repeat(20_000)}`],
    ['a long choice', `{% if false %}${'{% elif false %}'.repeat(20_000)}{% endif %}`],
    ['a run of spaces', `x${' '.repeat(200_000)}y`],
    ['more than a template', 'x'.repeat(2 ** 20 + 1)],
    ['bytes that are no text', Buffer.from([0x7b, 0xff])],
    ['marks that are no pairs', loop('{% generation %}{{ m.content }}')],
    [
      'marks in a loop that they change',
      loop('{% generation %}{{ m.content }}{{ loop.index | string | replace("1", "") }}'),
    ],
  ])('is refused with %s', async (_, source) => {
    expect(await judge(source)).toBe('chat-template-invalid');
  });

  it.each([
    ['ignores the messages', 'same', 'accepted'],
    ['writes nothing', '', 'accepted'],
    ['writes a number', '{{ 7 }}', 'accepted'],
    ['writes a list', '{{ messages }}', 'chat-template-rewrites'],
    ['writes nothing for a missing field', loop('{{ m.nothing }}'), 'accepted'],
    ['reads what every object has', loop('{{ m.constructor }}{{ m["__proto__"] }}{{ m.toString }}'), 'accepted'],
    ['sees the first of nothing', '{{ ([] | first) is defined }}', 'chat-template-invalid'],
    ['writes turns backwards', '{% for m in messages[::-1] %}{{ m.content }}{% endfor %}', 'chat-template-rewrites'],
    ['counts the messages first', `{{ messages | length }}${loop('{{ m.content }}')}`, 'chat-template-rewrites'],
    ['marks what is no answer', '{% generation %}{{ bos_token }}x{% endgeneration %}', 'accepted'],
    [
      'goes on after many loops',
      `${'{% for i in range(2000) %}{% continue %}{% endfor %}'}${loop('{{ m.content }}')}`,
      'accepted',
    ],
  ])('that %s is judged by what it writes', async (_, source, verdict) => {
    expect(await judge(source)).toBe(verdict);
  });

  it('is refused by what it says, not by what the library stumbles over', () => {
    const saying = (source: string): string => {
      try {
        return createChatTemplate(source, { name: 'x.jinja' }).render([], { addGenerationPrompt: false });
      } catch (error) {
        return error instanceof Error ? error.message : '';
      }
    };
    expect(saying('{{ raise_exception("Roles must alternate") }}')).toBe('x.jinja: Roles must alternate.');
    expect(saying('{% for m in messages %}')).toBe('x.jinja: expected whole tags and expressions, found a part.');
    expect(saying('{{ range(100001) }}')).toMatch(
      /^x\.jinja: expected a range of at most 100000 numbers, found 100001\.$/,
    );
    expect(saying('{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}')).toMatch(
      /ends within 500 levels of nesting, found more\.$/,
    );
  });

  it('may take as much as a long conversation needs', async () => {
    const turn = (index: number): Message => ({
      role: index % 2 ? 'assistant' : 'user',
      content: `${index} `.repeat(40),
    });
    const long = Array.from({ length: 400 }, (_, index) => turn(index));
    const source = readFileSync(join(modelFixtures, 'chat-templates', 'qwen3.jinja'), 'utf8');
    expect(await judge(source, 'last', long)).toBe('accepted');
    const wide: readonly Message[] = [
      { role: 'user', content: 'a' },
      { role: 'assistant', content: 'word '.repeat(60_000) },
    ];
    expect(await judge(source, 'last', wide)).toBe('accepted');
  });

  const sources = ['llama2', 'llama3.2', 'marked', 'qwen2.5', 'qwen3'].map((name) =>
    readFileSync(join(modelFixtures, 'chat-templates', `${name}.jinja`), 'utf8'),
  );
  const pieces = [
    '{%',
    '%}',
    '{{',
    '}}',
    '{#',
    '#}',
    '-',
    '(',
    ')',
    '[',
    ']',
    '|',
    '~',
    '**',
    '9999999',
    '"',
    "'",
    '.',
    ':',
    '\\',
    'range(99999)',
    'messages',
    'loop',
    '.__proto__',
    '.constructor',
    '| tojson',
    '| join',
    '| length',
    '[::-1]',
    '[-1]',
    '{% for a in messages %}',
    '{% endfor %}',
    '{% if a %}',
    '{% endif %}',
    '{% set messages = ',
    '{% generation %}',
    '{% endgeneration %}',
    '{% break %}',
    '{% macro m() %}',
    '{% endmacro %}',
    '{{ m() }}',
    'not ',
    ' in ',
    'none',
    '\ufeff',
  ];

  it('gives samples or has a code, whatever of it is cut, moved or written between', async () => {
    const edit = fc.tuple(fc.nat(3000), fc.nat(30), fc.oneof(fc.constantFrom(...pieces), fc.string({ maxLength: 3 })));
    const edits = fc.array(edit, { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...sources),
        edits,
        fc.constantFrom('all', 'last'),
        async (source, made, answers) => {
          const edited = made.reduce((text, [at, length, piece]) => {
            const start = at % (text.length + 1);
            return text.slice(0, start) + piece + text.slice(start + length);
          }, source);
          await judge(edited, answers);
        },
      ),
      { numRuns: 500, seed: 45 },
    );
  });

  it('of any pieces gives samples or has a code', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...pieces, ' ', 'a'), { maxLength: 12 }), async (parts) => {
        await judge(parts.join(' '));
      }),
      { numRuns: 500, seed: 46 },
    );
  });
});

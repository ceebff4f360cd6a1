/** JSON files as strangers may write them: a sound one with members replaced, removed or repeated, and bytes damaged. */
import fc from 'fast-check';

/** Members as text, since not all of them are what JSON.stringify writes. */
const fragments = [
  'null',
  'true',
  'false',
  '0',
  '1',
  '-1',
  '0.5',
  '7',
  '1e308',
  '1e400',
  '-1e400',
  '1e-320',
  'NaN',
  '-0',
  ...[2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 53, 16_777_216].map(String),
  '""',
  '"x"',
  '"__proto__"',
  '"constructor"',
  '"\\ud800"',
  '"\\u0000"',
  '"length"',
  '" "',
  '[]',
  '{}',
  '[[]]',
  '[null]',
  '[1]',
  '["a","a"]',
  '{"__proto__":{"x":1}}',
  '{"constructor":1}',
  '{"length":1e9}',
  '{"type":"Sequence"}',
  '{"type":"__proto__"}',
  '{"type":"FixedLength","length":0}',
  '{"a":1,"a":2}',
  `"${'long'.repeat(20_000)}"`,
  `${'['.repeat(10_000)}${']'.repeat(10_000)}`,
  `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`,
  `[${'0,'.repeat(20_000)}0]`,
];

const removed = '\u0001removed';
const placeholder = (index: number): string => `\u0001${index}`;

/** A copy of a JSON value in which the one at a path of places among its members is another. */
export function replaced(json: unknown, [place, ...rest]: readonly number[], value: unknown): unknown {
  if (place === undefined || typeof json !== 'object' || json === null) return value;
  const keys = Object.keys(json);
  const key = keys[place % Math.max(1, keys.length)];
  if (key === undefined) return value;
  const change = (member: unknown): unknown => replaced(member, rest, value);
  if (Array.isArray(json)) return json.with(Number(key), change(json[Number(key)]));
  return Object.fromEntries(
    Object.entries(json).map(([name, member]) => [name, name === key ? change(member) : member]),
  );
}

const pathOfMember = fc.array(fc.nat(40), { minLength: 1, maxLength: 4 });

/** The texts of `sound` after one to three changes of members, and of files after damage to their bytes. */
export function hostileJson(sound: unknown): fc.Arbitrary<Buffer> {
  const change = fc.tuple(pathOfMember, fc.oneof(fc.constantFrom(...fragments), fc.constant(removed)));
  const members = fc
    .array(change, { minLength: 1, maxLength: 3 })
    .map((changes) => Buffer.from(changed(sound, changes)));
  const extra = fc
    .tuple(fc.constantFrom('__proto__', 'constructor', 'toString', 'x', ''), fc.constantFrom(...fragments))
    .map(([name, value]) => Buffer.from(JSON.stringify(sound).replace('{', `{${JSON.stringify(name)}:${value},`)));
  const whole = Buffer.from(JSON.stringify(sound));
  const damaged = fc
    .record({
      flips: fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 4 }),
      length: fc.oneof(fc.constant(whole.length), fc.nat(whole.length)),
      mark: fc.boolean(),
    })
    .map(({ flips, length, mark }) => {
      const bytes = Buffer.from(whole);
      for (const [index, value] of flips) bytes[index] = value;
      return Buffer.concat([Buffer.from(mark ? '\ufeff' : ''), bytes.subarray(0, length)]);
    });
  return fc.oneof({ arbitrary: members, weight: 4 }, extra, damaged);
}

function changed(sound: unknown, changes: readonly (readonly [readonly number[], string])[]): string {
  let json = sound;
  for (const [index, [path, fragment]] of changes.entries())
    json = replaced(json, path, fragment === removed ? removed : placeholder(index));
  let text = JSON.stringify(json, (_, value: unknown) => (value === removed ? undefined : value)) ?? '';
  for (const [index, [, fragment]] of changes.entries())
    text = text.replace(JSON.stringify(placeholder(index)), () => fragment);
  return text;
}

import { createStopStrings } from '../../../../engine/generation/stop-strings.js';
import { createRandom } from '../../../../engine/training/random.js';

test('what may begin a stop string is held back until it is clear', () => {
  const stops = createStopStrings(['END', 'EN route']);
  expect(stops.push('the E')).toEqual({ text: 'the ', found: false });
  expect(stops.push('N')).toEqual({ text: '', found: false });
  expect(stops.push(' rest, E')).toEqual({ text: 'EN rest, ', found: false });
  expect(stops.push('ND and more')).toEqual({ text: '', found: true });
  expect(stops.end()).toBe('');
});

test('however a text is cut into pieces, it ends before the first stop string', () => {
  const random = createRandom(1, 'texts');
  const letters = (count: number) => Array.from({ length: count }, () => 'ab'[random.integer(2)]).join('');
  for (let round = 0; round < 2000; round++) {
    const text = letters(1 + random.integer(20));
    const strings = [letters(1 + random.integer(4)), letters(2 + random.integer(5))];
    const stops = createStopStrings(strings);
    let [shown, over] = ['', false];
    for (let at = 0; at < text.length && !over;) {
      const next = at + 1 + random.integer(2);
      const { text: piece, found } = stops.push(text.slice(at, next));
      shown += piece;
      over = found;
      at = next;
    }
    if (!over) shown += stops.end();
    expect(over).toBe(strings.some((string) => text.includes(string)));
    expect(text.startsWith(shown)).toBe(true);
    for (const string of strings) expect(shown).not.toContain(string);
    if (!over) expect(shown).toBe(text);
  }
});

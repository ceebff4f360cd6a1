/**
 * Looks over JSON text before it is parsed, for what JSON.parse would let pass: a key that appears twice in one object, and
 * nesting beyond a depth. It does not judge the grammar; JSON.parse does that afterwards.
 */

/** What is wrong, or undefined. */
export function findDuplicateOrDepth(text: string, maximumDepth: number): string | undefined {
  const keys: (Set<string> | undefined)[] = [];
  for (let index = 0; index < text.length; index++) {
    const character = text[index];
    if (character === '{' || character === '[') {
      keys.push(character === '{' ? new Set() : undefined);
      if (keys.length > maximumDepth) return `nesting deeper than ${maximumDepth} levels`;
    } else if (character === '}' || character === ']') keys.pop();
    else if (character === '"') {
      const end = endOfString(text, index);
      const seen = keys.at(-1);
      if (seen !== undefined && isKey(text, end)) {
        const key = unescaped(text.slice(index, end));
        if (seen.has(key)) return `the name ${JSON.stringify(key)} twice`;
        seen.add(key);
      }
      index = end - 1;
    }
  }
  return undefined;
}

/** Index behind the closing quote of the string that begins at `start`. */
function endOfString(text: string, start: number): number {
  let index = start + 1;
  while (index < text.length && text[index] !== '"') index += text[index] === '\\' ? 2 : 1;
  return Math.min(index + 1, text.length);
}

function isKey(text: string, end: number): boolean {
  let index = end;
  while (index < text.length && ' \t\n\r'.includes(text[index] ?? '')) index += 1;
  return text[index] === ':';
}

function unescaped(quoted: string): string {
  if (!quoted.includes('\\')) return quoted.slice(1, -1);
  try {
    return String(JSON.parse(quoted));
  } catch {
    return quoted;
  }
}

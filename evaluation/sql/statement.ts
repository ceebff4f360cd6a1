/**
 * What can be told of SQL text without running it: where its words stand, past comments, strings and quoted names.
 * It does not parse: whether a statement holds is SQLite's to say.
 */

interface Word {
  /** In capitals. */
  readonly word: string;
  /** How many parentheses are open around it. */
  readonly depth: number;
}

/** Comments, 'strings', and "names", `names`, [names] in quotes; one left open reaches to the end of the text. */
const skipped =
  /--[^\n]*|\/\*(?:[^*]|\*(?!\/))*(?:\*\/|$)|'(?:[^']|'')*(?:'|$)|"(?:[^"]|"")*(?:"|$)|`[^`]*(?:`|$)|\[[^\]]*(?:\]|$)/;
const token = new RegExp(`(?:${skipped.source})|(?<word>[\\p{L}_][\\p{L}\\p{N}_$]*)|(?<parenthesis>[()])`, 'gu');

function* words(sql: string): Generator<Word> {
  let depth = 0;
  for (const { groups } of sql.matchAll(token)) {
    if (groups?.parenthesis === '(') depth += 1;
    if (groups?.parenthesis === ')') depth -= 1;
    if (groups?.word !== undefined) yield { word: groups.word.toUpperCase(), depth };
  }
}

/** Does it begin as a query, and not as a statement that writes, attaches or sets something? */
export function beginsAsQuery(sql: string): boolean {
  const [first] = words(sql);
  return first?.word === 'SELECT' || first?.word === 'WITH';
}

/** Is the order of all its rows asked for? An order inside a subquery, a window or an aggregate promises nothing. */
export function ordersRows(sql: string): boolean {
  let previous = '';
  for (const { word, depth } of words(sql)) {
    if (depth !== 0) continue;
    if (previous === 'ORDER' && word === 'BY') return true;
    previous = word;
  }
  return false;
}

/** The SQL of an answer: what stands in its first fenced block, where it has one; otherwise the whole text. */
export function sqlOfAnswer(answer: string): string {
  const fenced = /```[^\S\n]*(?:sqlite|sql)?[^\S\n]*\n?([\s\S]*?)(?:```|$)/i.exec(answer);
  return (fenced?.[1] ?? answer).trim();
}

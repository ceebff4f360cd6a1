/**
 * Generated sections of hand-written pages: what stands between `<!-- begin NAME … -->` and `<!-- end NAME -->` is replaced,
 * everything around it stays. Tables come out as prettier would format them.
 */

/** @throws Error when the page has no such section. */
export function replaceSection(page: string, name: string, content: string): string {
  const section = new RegExp(`(<!-- begin ${name}\\b[^>]*-->)[^]*?(<!-- end ${name} -->)`);
  if (!section.test(page)) throw new Error(`expected a section "${name}", found none`);
  return page.replace(section, (_all, begin: string, end: string) => `${begin}\n\n${content}\n\n${end}`);
}

/** A Markdown table, the columns padded to their widest cell. */
export function table(rows: readonly (readonly [string, ...string[]])[]): string {
  const columns = rows[0]?.map((_head, column) => column) ?? [];
  const widths = columns.map((column) => Math.max(3, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const [head, ...body] = rows.map(line);
  return [head, line(widths.map((width) => '-'.repeat(width))), ...body].join('\n');
}

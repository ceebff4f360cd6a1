/**
 * Set-up: brings the parts asked for, one after the other, and returns what it came to. Idempotent: what is there is found
 * and not made again. Safe to interrupt: see cache.ts. It prints nothing itself; `describeOutcomes` draws the closing table.
 */
import { NightstillError } from '../config/errors.js';
import { formatDuration } from '../config/format-duration.js';
import { describeRefusals, providePart, type Outcome, type Part, type SetupContext } from './part.js';
import { parts } from './parts.js';
import { formatBytes } from './progress.js';

/**
 * The parts with these names, all when there are none. Who names a part needs it: none of these is optional.
 * @throws setup-part-unknown
 */
export function selectParts(names: readonly string[]): readonly Part[] {
  for (const name of names) {
    if (parts.some((part) => part.name === name)) continue;
    const known = parts.map((part) => part.name).join(', ');
    throw new NightstillError('setup-part-unknown', `expected a part of ${known}; found "${name}"`);
  }
  if (names.length === 0) return parts;
  return parts.filter(({ name }) => names.includes(name)).map((part) => ({ ...part, optional: false }));
}

/** Never stops at a part that cannot be had: the others are still brought. */
export async function setUp(selected: readonly Part[], context: SetupContext): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const part of selected) outcomes.push(await providePart(part, context));
  return outcomes;
}

/** @throws setup-part-failed when a part without which nothing works, or one that was named, was refused by all its sources. */
export function requireParts(outcomes: readonly Outcome[]): void {
  const missing = outcomes.filter(({ part, found }) => found === undefined && !part.optional);
  if (missing.length === 0) return;
  const reasons = missing.map((outcome) => `${outcome.part.name} (${describeRefusals(outcome)})`);
  throw new NightstillError(
    'setup-part-failed',
    `expected every source in turn, found none that gives ${reasons.join(', ')}`,
  );
}

/** The closing table: part, version, where it came from, size, time. */
export function describeOutcomes(outcomes: readonly Outcome[]): string {
  const rows = outcomes.map(({ part, found, refusals, seconds }) =>
    found === undefined
      ? [
          part.name,
          '–',
          `${part.optional ? 'not installed' : 'FAILED'}: ${refusals.at(-1)?.why ?? ''}`,
          '–',
          formatDuration(seconds * 1000),
        ]
      : [
          part.name,
          found.version,
          found.from,
          found.bytes === undefined ? '–' : formatBytes(found.bytes),
          formatDuration(seconds * 1000),
        ],
  );
  return drawTable(['part', 'version', 'from', 'size', 'time'], rows);
}

/** Characters that take the place of two on a terminal: those of Japanese among them. */
const wide = /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]/g;
const widthOf = (text: string): number => text.length + (text.match(wide)?.length ?? 0);

/** Columns as wide as their widest cell, two spaces apart. */
export function drawTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = header.map((title, column) =>
    Math.max(widthOf(title), ...rows.map((row) => widthOf(row[column] ?? ''))),
  );
  const drawRow = (row: readonly string[]) =>
    row
      .map((cell, column) => cell + ' '.repeat(Math.max(0, (widths[column] ?? 0) - widthOf(cell))))
      .join('  ')
      .trimEnd();
  return [drawRow(header), drawRow(widths.map((width) => '─'.repeat(width))), ...rows.map(drawRow)].join('\n');
}

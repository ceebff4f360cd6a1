/** What `--help` prints, made from the tables of the commands. */
import type { Command, Flag, Group, Word } from './command.js';

const lineWidth = 110;

export function drawHelp(command: Command): string {
  return [
    drawUsage(command),
    command.about,
    ...(Object.keys(command.flags).length === 0 ? [] : [drawFlags(command.flags)]),
    ...(command.closing === undefined ? [] : [command.closing]),
    drawExits(command.exits),
  ].join('\n\n');
}

const groupTitles: Readonly<Record<Group, string>> = {
  runs: 'Runs',
  machines: 'Machines',
  data: 'Data and files',
};

export function drawOverview(commands: readonly Command[]): string {
  const width = Math.max(...commands.map(({ name }) => name.length));
  const groups = Object.entries(groupTitles).map(([group, title]) => {
    const members = commands.filter((command) => command.group === group);
    return [title, ...members.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`)].join('\n');
  });
  return [
    'usage: nightstill <command> [--help] [...]\n       nightstill --version',
    ...groups,
    'Exit status: 0 well, 1 a machine, a network or nightstill failed, 2 something must be changed by whoever called,\n' +
      '3 the run ended without completing, 130 the run was left going.',
  ].join('\n\n');
}

/** The usage line, broken where it is too long. */
export function drawUsage({ name, words, flags }: Pick<Command, 'name' | 'words' | 'flags'>): string {
  const start = `usage: nightstill ${name}`;
  const lines = [start];
  for (const piece of [...words.map(drawWord), ...Object.entries(flags).map(drawFlagUsage)]) {
    const last = lines.at(-1) ?? '';
    if (last.length + piece.length < lineWidth) lines[lines.length - 1] = `${last} ${piece}`;
    else lines.push(`${' '.repeat(start.length)} ${piece}`);
  }
  return lines.join('\n');
}

function drawWord({ name, optional, repeated }: Word): string {
  const word = `<${name}>${repeated ? ' ...' : ''}`;
  return optional ? `[${word}]` : word;
}

function drawFlagUsage([name, flag]: [string, Flag]): string {
  const written = drawFlag(name, flag);
  return flag.required ? written : `[${written}]${flag.multiple ? ' ...' : ''}`;
}

export const drawFlag = (name: string, { value }: Flag): string =>
  value === undefined ? `--${name}` : `--${name} <${value}>`;

function drawFlags(flags: Command['flags']): string {
  const rows = Object.entries(flags).map(([name, flag]) => [drawFlag(name, flag), flag.summary] as const);
  const width = Math.max(...rows.map(([written]) => written.length));
  return rows
    .map(([written, summary]) => `  ${written.padEnd(width)}  ${wrap(summary, lineWidth - width - 4, width + 4)}`)
    .join('\n');
}

function drawExits(exits: Command['exits']): string {
  const listed = Object.entries(exits).map(([status, meaning]) => `${status} ${meaning}`);
  return `Exit status: ${wrap(`${listed.join(', ')}.`, lineWidth - 13, 0)}`;
}

function wrap(text: string, width: number, indent: number): string {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines.join(`\n${' '.repeat(indent)}`);
}

/** The verbs of the command line as a page of the documentation, from the table that parses and explains them. */
import type { Command } from '../../cli/command.js';
import { commands } from '../../cli/commands.js';
import { drawFlag, drawUsage } from '../../cli/help.js';
import { table } from './sections.js';

export const listCommands = (): string => commands.map(describe).join('\n\n');

function describe(command: Command): string {
  const { name, summary, about, flags, closing, exits } = command;
  const rows = Object.entries(flags).map(([flag, how]): [string, string] => [
    `\`${drawFlag(flag, how)}\``,
    escape(how.summary),
  ]);
  const statuses = Object.entries(exits).map(([status, meaning]) => `**${status}** ${meaning}`);
  return [
    `## ${name}`,
    `${summary[0]?.toUpperCase()}${summary.slice(1)}.`,
    `\`\`\`text\n${drawUsage(command)
      .replace(/^usage: /, '')
      .replaceAll(/^ {7}/gm, '')}\n\`\`\``,
    `\`\`\`text\n${about}\n\`\`\``,
    ...(rows.length === 0 ? [] : [table([['flag', 'meaning'], ...rows])]),
    ...(closing === undefined ? [] : [`\`\`\`text\n${closing}\n\`\`\``]),
    `Exit status: ${statuses.join(', ')}.`,
  ].join('\n\n');
}

/** A bar would end the cell, and angle brackets be taken for HTML. */
const escape = (text: string): string => text.replaceAll('|', '\\|').replaceAll(/<(\|?)/g, '\\<$1');

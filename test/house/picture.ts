/**
 * Draws the house from its rules: the table of rooms, who may import whom as a diagram, and the rules on packages. Rooms that
 * are not built yet are left out.
 */
import { describeGrants } from './check.js';
import type { House, Room } from './rules.js';
import { table } from './sections.js';

export function drawHouse({ rooms, packageRules, environmentReaders }: House, present: ReadonlySet<string>): string {
  const built = rooms
    .filter(({ folder }) => present.has(folder))
    .map((room) => ({ ...room, imports: room.imports.filter((grant) => present.has(grant.room)) }));
  const rows = built.map(({ folder, holds, imports, apart }): [string, string, string] => [
    `\`${folder}/\``,
    holds,
    apart ? 'anything; nobody imports it' : describeGrants(imports),
  ]);
  const product = built.filter(({ apart }) => !apart);
  const rules = packageRules.map(
    ({ packages, only, because }) =>
      `- ${packages.map(code).join(', ')}: only ${only.map(code).join(', ')}; ${because}.`,
  );
  const own = product.flatMap(({ folder, packages }) =>
    packages ? [`- \`${folder}/\` imports of packages only ${packages.map(code).join(', ')}.`] : [],
  );
  const environment = `- The process environment is read only by ${environmentReaders.map(code).join(', ')}.`;
  return [
    table([['folder', 'what lives there', 'may import'], ...rows]),
    diagram(product),
    [...own, ...rules, environment].join('\n'),
  ].join('\n\n');
}

const code = (text: string): string => `\`${text}\``;

/** Arrows to what a room may import; an arrow that follows from others is not drawn. */
function diagram(rooms: readonly Room[]): string {
  const allowed = new Map(rooms.map(({ folder, imports }) => [folder, new Set(imports.map(({ room }) => room))]));
  const reaches = (from: string, to: string): boolean =>
    [...(allowed.get(from) ?? [])].some((next) => next === to || reaches(next, to));
  const arrows = rooms.flatMap(({ folder, imports }) =>
    [...(allowed.get(folder) ?? [])]
      .filter((to) => ![...(allowed.get(folder) ?? [])].some((other) => other !== to && reaches(other, to)))
      .map((to) => {
        const onlyTypes = imports.filter(({ room }) => room === to).every(({ types }) => types);
        return `  ${folder} ${onlyTypes ? '-. types .->' : '-->'} ${to}`;
      }),
  );
  return ['```mermaid', 'flowchart TD', ...arrows, '```'].join('\n');
}

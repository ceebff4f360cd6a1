/**
 * Judges a tree of sources by the rules of the house. A violation names the file and line, what is imported, and the rule.
 * Sizes of files and functions are the linter's business.
 */
import { findCycles } from './cycles.js';
import type { Grant, House, Room } from './rules.js';
import type { ResolvedImport, Source } from './sources.js';

/** Every violation as one line: `storage/s3.ts:4 → engine/adam.ts: storage may import only …`. Empty when all is well. */
export function findViolations(sources: readonly Source[], house: House): string[] {
  const byPath = new Map(sources.map((source) => [source.path, source]));
  const judged = sources
    .filter(({ path }) => path.includes('/'))
    .flatMap((source) => {
      const room = house.rooms.find(({ folder }) => folder === roomOf(source.path));
      if (room === undefined) return [`${source.path} → its folder has no row in test/house/rules.ts`];
      const imports = source.imports.flatMap((found) => {
        const broken =
          found.kind === 'file' ? brokenByFile(found, room, byPath) : brokenByPackage(found, source, room, house);
        return broken === undefined ? [] : [`${source.path}:${found.line} → ${found.target}: ${broken}`];
      });
      return [...imports, ...environmentViolations(source, room, house)];
    });
  const cycles = findCycles(new Map(sources.map(({ path, imports }) => [path, valueTargets(imports)])));
  return [...judged, ...cycles.map((cycle) => `${cycle.join(' → ')}: files import each other in a circle`)];
}

/**
 * Circles that the table itself would allow: whole rooms that may import each other. Empty when the rooms have an order. Files that
 * are granted by name make none: a circle of files is a violation wherever it runs.
 */
export function findTableCycles({ rooms }: House): string[] {
  const allowed = rooms.map(({ folder, imports }): [string, string[]] => [
    folder,
    imports.filter(({ types, files }) => types !== true && files === undefined).map(({ room }) => room),
  ]);
  return findCycles(new Map(allowed)).map((cycle) => cycle.join(' → '));
}

const roomOf = (path: string): string => (path.includes('/') ? path.slice(0, path.indexOf('/')) : '');

const valueTargets = (imports: readonly ResolvedImport[]): string[] =>
  imports.filter(({ kind, typeOnly }) => kind === 'file' && !typeOnly).map(({ target }) => target);

function brokenByFile(found: ResolvedImport, room: Room, byPath: ReadonlyMap<string, Source>): string | undefined {
  const to = roomOf(found.target);
  if (to === room.folder) return undefined;
  const grants = room.imports.filter((grant) => grant.room === to);
  if (!grants.some((grant) => covers(grant, found, byPath)))
    return `${room.folder} may import ${describeGrants(room.imports)}`;
  const isNamed = grants.some(({ files }) => files?.includes(found.target));
  if (!room.apart && byPath.has(`${to}/index.ts`) && !isDoor(found.target) && !isNamed)
    return `import it through ${to}/index.ts`;
  return undefined;
}

/** The index of a room, or of a folder in it whose users should not have to load the whole room. */
const isDoor = (target: string): boolean => /^[^/]+\/([^/]+\/)?index\.ts$/.test(target);

function covers(grant: Grant, found: ResolvedImport, byPath: ReadonlyMap<string, Source>): boolean {
  if (grant.types && !found.typeOnly) return false;
  if (grant.files && !grant.files.includes(found.target)) return false;
  return !grant.pure || isPure(found.target, byPath);
}

/** Reaches it, by imports that are left at run time, no package and no Node built-in? */
function isPure(path: string, byPath: ReadonlyMap<string, Source>, seen = new Set<string>()): boolean {
  if (seen.has(path)) return true;
  seen.add(path);
  const imports = (byPath.get(path)?.imports ?? []).filter(({ typeOnly }) => !typeOnly);
  return imports.every(({ kind, target }) => kind === 'file' && isPure(target, byPath, seen));
}

function brokenByPackage({ target }: ResolvedImport, { path }: Source, room: Room, house: House): string | undefined {
  if (room.packages && !matches(target, room.packages))
    return `${room.folder} may import of packages only ${room.packages.join(', ')}`;
  const rule = room.apart ? undefined : house.packageRules.find(({ packages }) => matches(target, packages));
  if (rule === undefined || within(path, rule.only)) return undefined;
  return `only ${rule.only.join(', ')} may: ${rule.because}`;
}

function environmentViolations({ path, environmentReads }: Source, room: Room, house: House): string[] {
  if (room.apart || within(path, house.environmentReaders)) return [];
  const rule = `only ${house.environmentReaders.join(', ')} read the process environment`;
  return environmentReads.map((line) => `${path}:${line} → process.env: ${rule}`);
}

/** A place is a file, a folder with its slash, or ends with `*`. */
const within = (path: string, places: readonly string[]): boolean =>
  places.some((place) => (/[/*]$/.test(place) ? path.startsWith(place.replace(/\*$/, '')) : path === place));

/** A pattern is a package with all its entries, or ends with `*`. */
const matches = (name: string, patterns: readonly string[]): boolean =>
  patterns.some((pattern) =>
    pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern || name.startsWith(`${pattern}/`),
  );

/** The grants of a room in words; the picture uses them too. */
export function describeGrants(grants: readonly Grant[]): string {
  if (grants.length === 0) return 'nothing here';
  return grants.map(describeGrant).join(', ');
}

function describeGrant({ room, files, pure, types }: Grant): string {
  const what = files?.join(', ') ?? (pure ? `pure files of ${room}` : room);
  return types ? `types of ${what}` : what;
}

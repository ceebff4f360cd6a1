/**
 * The first step of `npm run setup` and `npm test` on a fresh clone, where there is nothing but Node and npm: installs the
 * dependencies when they are absent or not the locked ones, removes the output of sources that are gone, compiles when a
 * source is newer than the output, then runs the compiled program `dist/<first argument>`, if one is named, with the other
 * arguments. Plain JavaScript, because nothing is compiled yet.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, statSync, utimesSync } from 'node:fs';
import { join, relative } from 'node:path';

const root = join(import.meta.dirname, '..');
const output = join(root, 'dist');
const buildRecord = join(output, '.tsbuildinfo');
/** The compiler's status when it found type errors and wrote its output all the same: `npm run check` fails on them. */
const wroteDespiteErrors = 2;

/** Compares what npm installed with the lockfile; packages for other platforms need not be there. */
function dependenciesAreCurrent() {
  const locked = readPackages('package-lock.json');
  const installed = readPackages(join('node_modules', '.package-lock.json'));
  return Object.entries(locked).every(
    ([path, { version, optional }]) => path === '' || optional === true || installed[path]?.version === version,
  );
}

/** A source, or a folder that gained or lost one, that is newer than the record of the last compilation makes it stale. */
function outputIsCurrent() {
  const compiledAt = statSync(buildRecord, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const isOlder = (path) => statSync(path).mtimeMs < compiledAt;
  const folders = readdirSync(root, { withFileTypes: true }).filter(
    (entry) => entry.isDirectory() && !entry.name.startsWith('.') && !['dist', 'node_modules'].includes(entry.name),
  );
  return (
    ['tsconfig.json', 'package-lock.json'].every((name) => isOlder(join(root, name))) &&
    folders.every(({ name }) => isOlder(join(root, name)) && sourcesIn(join(root, name)).every(isOlder))
  );
}

const sourcesIn = (folder) =>
  readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isDirectory() || entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name));

/** The compiler leaves it where it is, and it would be packed. */
function removeOutputWithoutSource() {
  if (!existsSync(output)) return;
  for (const entry of readdirSync(output, { withFileTypes: true, recursive: true })) {
    const path = join(entry.parentPath, entry.name);
    const source = join(root, relative(output, path)).replace(/(\.d\.ts|\.js|\.js\.map)$/, '.ts');
    if (entry.isFile() && path !== buildRecord && !existsSync(source)) rmSync(path, { force: true });
  }
}

function compile() {
  const startedAt = new Date();
  const compiler = join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  run('tsc', process.execPath, [compiler, '-p', 'tsconfig.json'], wroteDespiteErrors);
  utimesSync(buildRecord, startedAt, startedAt);
}

function readPackages(path) {
  try {
    return JSON.parse(readFileSync(join(root, path), 'utf8')).packages;
  } catch {
    return {};
  }
}

function run(name, file, fileArguments, alsoFine = 0) {
  const status = spawn(file, fileArguments);
  if (status === 0 || status === alsoFine) return;
  process.stderr.write(`${name} ended with status ${status}\n`);
  process.exit(status);
}

function spawn(file, fileArguments) {
  const { status, error } = spawnSync(file, fileArguments, { cwd: root, stdio: 'inherit' });
  if (error !== undefined) process.stderr.write(`${file}: ${error.message}\n`);
  return status ?? 1;
}

const [program, ...programArguments] = process.argv.slice(2);
if (!dependenciesAreCurrent()) run('npm ci', 'npm', ['ci']);
removeOutputWithoutSource();
if (!outputIsCurrent()) compile();
if (program !== undefined) process.exitCode = spawn(process.execPath, [join(output, program), ...programArguments]);

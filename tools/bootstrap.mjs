/**
 * The first step of `npm run setup` and `npm test` on a fresh clone, where there is nothing but Node and npm: installs the
 * dependencies when they are absent or not the locked ones, compiles when a source is newer than the output, then runs the
 * compiled program `dist/<first argument>` with the other arguments. Plain JavaScript, because nothing is compiled yet.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');
const buildRecord = join(root, 'dist', '.tsbuildinfo');
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
if (!outputIsCurrent()) compile();
process.exitCode = spawn(process.execPath, [join(root, 'dist', program), ...programArguments]);

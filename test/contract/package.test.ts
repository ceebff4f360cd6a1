/**
 * What a user gets from the registry: the package is packed, installed into fresh applications with install scripts allowed
 * and the download host of tfjs, which one of them wants, unreachable, and imported. Needs the compiled product and the
 * package registry.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');
/** A loopback port where nothing listens: discard. */
const unreachable = 'https://127.0.0.1:9/';
const tfjs = '@tensorflow/tfjs-node-gpu';

const npm = (folder: string, ...parameters: readonly string[]): Promise<{ stdout: string }> =>
  run('npm', [...parameters, '--prefix', folder, '--no-audit', '--no-fund', '--loglevel', 'error'], {
    cwd: folder,
    env: { ...process.env, TFJS_NODE_BASE_URI: unreachable, TFJS_NODE_CDN_STORAGE: unreachable },
  });

/** A new application that has installed these, and what its manifest names besides. */
async function application(folder: string, packages: readonly string[], manifest: object = {}): Promise<string> {
  await mkdir(folder);
  const described = { name: 'application', private: true, type: 'module', ...manifest };
  await writeFile(join(folder, 'package.json'), JSON.stringify(described));
  await npm(folder, 'install', ...packages, '--ignore-scripts=false', '--prefer-offline');
  return folder;
}

/** How many names each of these modules exports, as plain Node sees it. */
async function countExports(folder: string, modules: readonly string[]): Promise<Record<string, number>> {
  const program = `
    const counts = {};
    for (const name of ${JSON.stringify(modules)}) counts[name] = Object.keys(await import(name)).length;
    console.log(JSON.stringify(counts));`;
  await writeFile(join(folder, 'application.mjs'), program);
  const counts: Record<string, number> = JSON.parse(
    (await run(process.execPath, ['application.mjs'], { cwd: folder })).stdout,
  );
  return counts;
}

/** What the strict compiler says of an application that imports these modules, their declarations and all they import included. */
async function typeErrors(folder: string, modules: readonly string[]): Promise<string[]> {
  const program = modules.flatMap((module, index) => [
    `import * as module${index} from '${module}';`,
    '// @ts-expect-error it has types, so what it does not export is an error',
    `console.log(module${index}.nothingOfThisName);`,
  ]);
  await writeFile(join(folder, 'application.ts'), program.join('\n'));
  const compiler = join(root, 'node_modules/typescript/bin/tsc');
  const flags = ['--noEmit', '--strict', '--module', 'nodenext', '--types', 'node', '--skipLibCheck', 'false'];
  const checked = run(process.execPath, [compiler, ...flags, 'application.ts'], { cwd: folder, maxBuffer: 2 ** 24 });
  const { stdout } = await checked.catch((failed: { stdout: string }) => failed);
  return stdout.split('\n').filter((line) => /^\S/.test(line));
}

/** Are the programs there that stages start? */
async function programsAreFiles(folder: string): Promise<boolean> {
  const program = `
    import { programs } from 'nightstill/workers';
    console.log(JSON.stringify(Object.values(programs).map(({ entry }) => entry)));`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', program], { cwd: folder });
  const files: string[] = JSON.parse(stdout);
  return files.length > 1 && (await Promise.all(files.map(async (file) => (await stat(file)).isFile()))).every(Boolean);
}

/** Computed by a program of the engine, which has no native part here. */
async function squaresOf(folder: string, numbers: readonly number[]): Promise<number[]> {
  const program = `
    import { compile, kernelsRunner, tf } from 'nightstill/engine';
    const inputs = { x: { shape: [${numbers.length}], dtype: 'float32' } };
    const run = (_, { x }) => ({ outputs: { squares: tf.square(x) } });
    const runner = kernelsRunner({ backend: 'wasm' });
    const session = await compile({ runner, state: {}, programs: { square: { inputs, run } } });
    console.log(JSON.stringify([...session.run('square', { x: Float32Array.of(${numbers.join()}) }).squares]));`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', program], { cwd: folder });
  const squares: number[] = JSON.parse(stdout);
  return squares;
}

/** The code that a start fails with where no server is. */
async function codeOfStart(folder: string): Promise<string> {
  const program = `
    import { Client, Connection } from '@temporalio/client';
    import { start } from 'nightstill/client';
    const connection = Connection.lazy({ address: '127.0.0.1:9', interceptors: [] });
    const file = { name: 'nightly', store: 'file:///store' };
    await start({ client: new Client({ connection }), file }).catch(({ code }) => console.log(code));
    await connection.close();`;
  return (await run(process.execPath, ['--input-type=module', '--eval', program], { cwd: folder })).stdout.trim();
}

describe('the published package', () => {
  let folder: string;
  let tarball: string;
  let manifest: { version: string; exports: Record<string, unknown>; devDependencies: Record<string, string> };
  let entries: string[];

  beforeAll(async () => {
    manifest = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
    entries = Object.keys(manifest.exports)
      .filter((name) => name !== './package.json')
      .map((name) => name.replace('.', 'nightstill'));
    folder = await mkdtemp(join(tmpdir(), 'nightstill-package-'));
    await npm(root, 'pack', '--pack-destination', folder, '--ignore-scripts');
    tarball = join(folder, `nightstill-${manifest.version}.tgz`);
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('is smaller than 2 MB and holds the product, its set-up, its pages and its licence, but no tests', async () => {
    expect((await stat(tarball)).size).toBeLessThan(2_000_000);
    const files = (await run('tar', ['--list', '--file', tarball])).stdout.trim().split('\n');
    expect(files).toEqual(
      expect.arrayContaining(
        [
          'dist/cli/main.js dist/tools/setup.js tools/temporal/go.sum tools/versitygw/go.sum',
          'README.md docs/read-the-report.md docs/command-line.md SECURITY.md LICENSE',
        ].flatMap((names) => names.split(' ').map((name) => `package/${name}`)),
      ),
    );
    expect(files.filter((name) => /test|bench|tsbuildinfo|\.map$|^package\/[^/]+\/.*(?<!\.d)\.ts$/.test(name))).toEqual(
      [],
    );
  });

  it('lets every entry be imported and type-checked beside the Temporal worker, where tfjs could not be had', async () => {
    const temporal = ['worker', 'activity', 'workflow'].map((name) => `@temporalio/${name}`);
    const peers = [...temporal, '@types/node'].map((name) => `${name}@${manifest.devDependencies[name]}`);
    const optionalDependencies = { [tfjs]: manifest.devDependencies[tfjs] };
    const app = await application(join(folder, 'worker'), [tarball, ...peers], { optionalDependencies });
    const { packages } = JSON.parse(await readFile(join(app, 'package-lock.json'), 'utf8'));
    expect(packages[`node_modules/${tfjs}`]).toMatchObject({ optional: true, hasInstallScript: true });
    // Its script ran and failed, so npm went on without it.
    await expect(stat(join(app, 'node_modules', tfjs))).rejects.toMatchObject({ code: 'ENOENT' });

    const counts = await countExports(app, entries);
    expect(Object.keys(counts)).toEqual(entries);
    expect(Object.values(counts).filter((count) => count === 0)).toEqual([]);

    expect(await programsAreFiles(app)).toBe(true);

    const engine = 'nightstill/engine';
    await expect(
      typeErrors(
        app,
        entries.filter((entry) => entry !== engine),
      ),
    ).resolves.toEqual([]);
    // The declarations of tfjs itself hold no strict check, nor beside those of a browser.
    const elsewhere = (await typeErrors(app, [engine])).filter((line) =>
      /^(application|node_modules\/nightstill)/.test(line),
    );
    expect(elsewhere).toEqual([]);
  });

  it('brings an application that only starts runs no native code and no worker; the engine computes all the same', async () => {
    const app = await application(join(folder, 'client'), [tarball]);
    const installed = await readdir(join(app, 'node_modules'), { recursive: true });
    expect(installed.length).toBeGreaterThan(1000);
    expect(installed.filter((name) => name.endsWith('.node'))).toEqual([]);
    expect(installed.filter((name) => /@temporalio\/(worker|core-bridge)$|tfjs-node/.test(name))).toEqual([]);
    const counts = await countExports(app, ['nightstill/client', 'nightstill/storage']);
    expect(Object.values(counts).filter((count) => count === 0)).toEqual([]);
    await expect(squaresOf(app, [1, 2, 3])).resolves.toEqual([1, 4, 9]);

    // Starting and watching runs needs no store, and so neither of what checks its records and speaks to S3.
    for (const unneeded of ['zod', '@aws-sdk', '@tensorflow']) {
      await rm(join(app, 'node_modules', unneeded), { recursive: true });
    }
    await expect(codeOfStart(app)).resolves.toBe('temporal-unavailable');
  });
});

/**
 * The workflows as one script, as an orchestrator runs them. Bundling takes seconds, so a bundle is kept in the cache under the
 * digest of all that it is made of: the compiled workflows, what they may import, and the releases of the SDK. A cache that
 * cannot be read or written costs those seconds and nothing else.
 */
import { createHash, randomUUID } from 'node:crypto';
import { access, mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger, type WorkflowBundleOption } from '@temporalio/worker';

export const workflowsPath = fileURLToPath(new URL('../workflows/index.js', import.meta.url));

const sources = ['../workflows', '../config'].map((folder) => fileURLToPath(new URL(folder, import.meta.url)));
const libraries = ['worker', 'workflow', 'common'].map((name) => `@temporalio/${name}/package.json`);

const keptMs = 7 * 24 * 3600 * 1000;

/** @param cacheDirectory of nightstill: see `config/environment.ts` */
export async function workflowBundle(cacheDirectory: string): Promise<WorkflowBundleOption> {
  const folder = join(cacheDirectory, 'workflow-bundles');
  const codePath = join(folder, `${await digestOfSources()}.js`);
  if (await exists(codePath)) return { codePath };
  const { code } = await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('WARN') });
  try {
    const partial = `${codePath}.${randomUUID()}`;
    await mkdir(folder, { recursive: true });
    await writeFile(partial, code);
    await rename(partial, codePath);
    await removeOld(folder);
    return { codePath };
  } catch {
    return { code };
  }
}

/** Every release, and every compilation of a developer, leaves one. */
async function removeOld(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    if (Date.now() - (await stat(path)).mtimeMs > keptMs) await rm(path, { force: true });
  }
}

async function digestOfSources(): Promise<string> {
  const hash = createHash('sha256');
  const resolve = createRequire(import.meta.url);
  for (const library of libraries) hash.update(await readFile(resolve.resolve(library)));
  for (const folder of sources)
    for (const name of (await readdir(folder)).filter((file) => file.endsWith('.js')).toSorted())
      hash.update(`\n${folder}/${name}\n`).update(await readFile(join(folder, name)));
  return hash.digest('hex');
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  );

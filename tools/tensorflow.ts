/**
 * The fast engine: libtensorflow and the addon, one cache entry from which both load. Optional: where a compiler, Python or
 * a library for this platform is missing, set-up says so, and plans that say `numerics: { runner: wasm }` still run.
 */
import { readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { tensorflowRelease } from '../config/numerics.js';
import { digestOf, findEntry, provideEntry, type CacheEntry, type CacheKey } from './cache.js';
import { cacheOptions, fromCache, refuse, type FoundPart, type Part, type SetupContext, type Source } from './part.js';
import {
  addonPath,
  compileAddon,
  compilerFlags,
  dependenciesPath,
  findCompiler,
  installPackage,
  packagePath,
  pinnedFiles,
  probeAddon,
} from './tensorflow-addon.js';
import { directoryLibrary, libraryFiles, wheelLibrary, type TensorflowLibrary } from './tensorflow-library.js';

/** Names the library without fetching anything. */
type Locate = (context: SetupContext) => Promise<TensorflowLibrary>;

const isNamed = ({ environment }: SetupContext) => environment.tensorflowDirectory !== undefined;
const namedDirectory: Locate = ({ environment }) => directoryLibrary(environment.tensorflowDirectory ?? '');

export const tensorflow: Part = {
  name: 'tensorflow',
  purpose: 'the fast numeric engine',
  version: tensorflowRelease,
  optional: true,
  sources: [
    { ...lookFor('NIGHTSTILL_TENSORFLOW, built earlier', namedDirectory), applies: isNamed },
    { ...build('NIGHTSTILL_TENSORFLOW', namedDirectory), applies: isNamed },
    lookFor('cache', wheelLibrary),
    build('wheel', wheelLibrary),
  ],
};

function lookFor(name: string, locate: Locate): Source {
  return {
    name,
    effort: 'look',
    attempt: async (context) => {
      const library = await locate(context);
      const entry = await findEntry(context.environment.cacheDirectory, await keyOf(library), context);
      return entry === undefined ? refuse('nothing usable there yet') : fromCache(describe(entry));
    },
  };
}

function build(name: string, locate: Locate): Source {
  return {
    name,
    effort: 'work',
    attempt: async (context) => {
      const library = await locate(context);
      const compiler = await findCompiler(context);
      const entry = await provideEntry(
        context.environment.cacheDirectory,
        await keyOf(library),
        async (staging) => {
          await library.bring(join(staging, 'deps'), context);
          await installPackage(staging, context);
          await rename(join(staging, 'deps'), join(staging, dependenciesPath));
          await compileAddon(staging, compiler, context);
          const { tensorflow: release } = await probeAddon(staging, context);
          return { from: library.from, release, files: entryFiles };
        },
        cacheOptions('tensorflow', context),
      );
      return { found: describe(entry) };
    },
  };
}

const entryFiles = [
  addonPath,
  join(packagePath, 'package.json'),
  join(packagePath, 'dist', 'index.js'),
  ...libraryFiles.map((file) => join(dependenciesPath, 'lib', file)),
];

async function keyOf(library: TensorflowLibrary): Promise<CacheKey> {
  const pinned = await Promise.all(pinnedFiles.map(({ path }) => readFile(path)));
  const digest = digestOf(process.platform, process.arch, library.digest, ...compilerFlags, ...pinned);
  return { part: 'tensorflow', version: library.version, digest };
}

const describe = ({ directory, manifest }: CacheEntry): FoundPart => ({
  version: manifest.release,
  from: manifest.from,
  kind: 'directory',
  location: directory,
  bytes: manifest.bytes,
});

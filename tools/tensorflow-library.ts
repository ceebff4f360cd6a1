/**
 * Where libtensorflow and its headers come from: a directory that the user names, or a pinned wheel. Both end as
 * `<destination>/lib` with the two shared libraries and `<destination>/include` with the headers that the addon needs.
 */
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { tensorflowRelease as version } from '../config/numerics.js';
import { digestOf, logFile } from './cache.js';
import { findExecutable, runLogged } from './command.js';
import type { SetupContext } from './part.js';
import { unpackWheel, type Wheel } from './wheel.js';

export interface TensorflowLibrary {
  /** As the closing table says it. */
  readonly from: string;
  /** Release, or a word where only loading it can tell. */
  readonly version: string;
  /** Changes whenever the files may have changed. */
  readonly digest: string;
  bring(destination: string, context: SetupContext): Promise<void>;
}

/** Both are linked: the first holds the C interface, the second the rest of what it needs. */
export const libraryFiles = ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'];

/** What the sources of the addon include, directly or not. */
const headers = [
  'tensorflow/c/c_api.h',
  'tensorflow/c/c_api_macros.h',
  'tensorflow/c/eager/c_api.h',
  'tensorflow/c/tf_attrtype.h',
  'tensorflow/c/tf_buffer.h',
  'tensorflow/c/tf_datatype.h',
  'tensorflow/c/tf_status.h',
  'tensorflow/c/tf_tensor.h',
  'tensorflow/c/tf_tstring.h',
  'tensorflow/core/platform/ctstring.h',
  'tensorflow/core/platform/ctstring_internal.h',
  'tsl/platform/ctstring.h',
  'tsl/platform/ctstring_internal.h',
  'xla/tsl/c/tsl_status.h',
];

const x64Platforms = ['manylinux_2_27_x86_64', 'manylinux_2_17_x86_64', 'manylinux2014_x86_64'];
const wheels: Readonly<Record<string, Wheel>> = {
  'linux-x64-cpu': {
    project: 'tensorflow-cpu',
    version,
    platforms: x64Platforms,
    sha256: '2b847d217b02ee7731ed91431daf3250daa0196c3c94614d23be27232e6e5b6c',
    bytes: 273_829_956,
  },
  'linux-x64-gpu': {
    project: 'tensorflow',
    version,
    platforms: x64Platforms,
    sha256: '9056fbc9ba04235810b71ae6cbd958a196e8804fb53bbcffbf3e23b56155f124',
    bytes: 572_440_367,
  },
  'linux-arm64-cpu': {
    project: 'tensorflow',
    version,
    platforms: ['manylinux_2_27_aarch64'],
    sha256: '4b24aca16d527a3cf1c37f720c04c484c3d20f4d0fdfa98632ac8b9f3be6eb5c',
    bytes: 281_828_020,
  },
};

/** `platform-architecture` of every machine for which a wheel is known. */
export const machinesWithWheel: readonly string[] = Object.keys(wheels).map((name) => name.replace(/-[cg]pu$/, ''));

/** @throws Error, in one line, when no wheel is known for this machine. */
export async function wheelLibrary(context: SetupContext): Promise<TensorflowLibrary> {
  const build = context.environment.tensorflowBuild ?? ((await hasNvidiaDriver(context)) ? 'gpu' : 'cpu');
  const machine = `${process.platform}-${process.arch}`;
  const wheel = wheels[`${machine}-${build}`];
  if (wheel === undefined) {
    throw new Error(
      `no wheel with libtensorflow is known for ${machine} (${build}); set NIGHTSTILL_TENSORFLOW to a directory with one`,
    );
  }
  return {
    from: `${wheel.project} wheel`,
    version,
    digest: digestOf(wheel.sha256, ...headers),
    bring: (destination, caller) => bringWheel(wheel, destination, caller),
  };
}

async function bringWheel(wheel: Wheel, destination: string, context: SetupContext): Promise<void> {
  const unpacked = join(destination, 'wheel');
  const members = [...libraryFiles, ...headers.map((header) => `include/${header}`)].map(
    (name) => `tensorflow/${name}`,
  );
  await mkdir(unpacked, { recursive: true });
  await unpackWheel({ wheel, members, destination: unpacked, part: 'tensorflow' }, context);
  const root = join(unpacked, 'tensorflow');
  await mkdir(join(destination, 'lib'));
  for (const file of libraryFiles) await rename(join(root, file), join(destination, 'lib', file));
  await rename(join(root, 'include'), join(destination, 'include'));
  await rm(unpacked, { recursive: true, force: true });
  await strip(join(destination, 'lib'), context);
}

/** Symbols that only debuggers read are a quarter of the library. Without `strip` it stays as large as it came. */
async function strip(directory: string, context: SetupContext): Promise<void> {
  const program = await findExecutable('strip', context.variables);
  if (program === undefined) return;
  const step = context.reporter.step('tensorflow: stripping the libraries');
  try {
    await runLogged(program, ['--strip-unneeded', ...libraryFiles.map((file) => join(directory, file))], {
      variables: context.variables,
      timeoutMs: 10 * 60_000,
      logFile: logFile(context.environment.cacheDirectory, 'tensorflow'),
    });
  } finally {
    step.end();
  }
}

/**
 * A directory that holds the libraries, in itself or in `lib`, and the headers in `include`: an installed `tensorflow`
 * Python package is one. The files are linked, not copied.
 * @throws Error, in one line, when something is missing there.
 */
export async function directoryLibrary(directory: string): Promise<TensorflowLibrary> {
  const lib = existsSync(join(directory, 'lib')) ? join(directory, 'lib') : directory;
  const include = join(directory, 'include');
  const present: readonly string[] = await readdir(lib).catch(() => []);
  for (const file of libraryFiles) {
    if (!present.includes(file)) throw new Error(`expected ${file} in ${lib}, found none`);
  }
  for (const header of headers) {
    if (!existsSync(join(include, header))) throw new Error(`expected ${header} in ${include}, found none`);
  }
  const stamps = await Promise.all(
    libraryFiles.map(async (file) => {
      const { size, mtimeMs } = await stat(join(lib, file));
      return `${size} ${mtimeMs}`;
    }),
  );
  return {
    from: directory,
    version: 'user',
    digest: digestOf(directory, ...stamps),
    bring: async (destination) => {
      await mkdir(join(destination, 'lib'), { recursive: true });
      for (const file of libraryFiles) await symlink(join(lib, file), join(destination, 'lib', file));
      await symlink(include, join(destination, 'include'));
    },
  };
}

async function hasNvidiaDriver({ variables }: SetupContext): Promise<boolean> {
  return existsSync('/proc/driver/nvidia/version') || (await findExecutable('nvidia-smi', variables)) !== undefined;
}

/**
 * The addon of @tensorflow/tfjs-node-gpu, compiled from the sources inside that package and linked to libtensorflow. The
 * package and what it needs come from a lockfile of their own (`tools/tensorflow/`), with checksums and without install
 * scripts: its own script would download another library, and fail. One addon serves Node 20, 22 and 24 (N-API 8).
 */
import { copyFile, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { logFile } from './cache.js';
import { captureCommand, findExecutable, runLogged } from './command.js';
import { packageRoot } from './package-root.js';
import type { SetupContext } from './part.js';
import { libraryFiles } from './tensorflow-library.js';

export const pinnedFiles = ['package.json', 'package-lock.json'].map((name) => ({
  name,
  path: join(packageRoot(), 'tools', 'tensorflow', name),
}));

/** Within an entry of the cache. */
export const packagePath = join('node_modules', '@tensorflow', 'tfjs-node-gpu');
export const addonPath = join(packagePath, 'lib', 'napi-v8', 'tfjs_binding.node');
export const dependenciesPath = join(packagePath, 'deps');

export const compilerFlags = [
  ...'-O2 -shared -fPIC -std=c++17 -DNAPI_VERSION=8 -DBUILDING_NODE_EXTENSION'.split(' '),
  '-Wl,-rpath,$ORIGIN/../../deps/lib',
];

/** What the probe says of an addon that loaded and computed. */
const reportSchema = z.object({
  /** Release of libtensorflow. */
  tensorflow: z.string(),
  gpu: z.boolean(),
  sum: z.number(),
});

export type ProbeReport = Readonly<z.infer<typeof reportSchema>>;

/** The sum that the probe must compute: a 4×8 by 8×4 product of ones. */
const expectedSum = 128;

/** @throws Error when npm is missing or fails. */
export async function installPackage(directory: string, context: SetupContext): Promise<void> {
  const npm = await findExecutable('npm', context.variables);
  if (npm === undefined) throw new Error('no npm on PATH');
  for (const { name, path } of pinnedFiles) await copyFile(path, join(directory, name));
  const step = context.reporter.step('tensorflow: installing @tensorflow/tfjs-node-gpu');
  try {
    await runLogged(npm, ['ci', '--ignore-scripts', '--omit=dev', '--no-audit', '--no-fund'], {
      ...logged(context, 10),
      directory,
    });
    await removeSourceMaps(join(directory, 'node_modules', '@tensorflow'));
  } finally {
    step.end();
  }
}

/** Two thirds of the packages are source maps that nobody here opens. */
async function removeSourceMaps(directory: string): Promise<void> {
  for (const name of await readdir(directory, { recursive: true })) {
    if (name.endsWith('.map')) await rm(join(directory, name));
  }
}

/** Names of C++ compilers, in the order in which they are tried. */
export const compilerNames = ({ variables }: SetupContext): readonly string[] =>
  [variables['CXX'] ?? '', 'g++', 'c++', 'clang++'].filter((name) => name !== '');

/** @throws Error when there is no compiler: asked before anything large is fetched. */
export async function findCompiler(context: SetupContext): Promise<string> {
  for (const name of compilerNames(context)) {
    const compiler = await findExecutable(name, context.variables);
    if (compiler !== undefined) return compiler;
  }
  throw new Error('no C++ compiler: none of $CXX, g++, c++, clang++ is on PATH; install one');
}

/** Compiles the addon into the installed package below `directory`, whose `deps` hold libraries and headers. */
export async function compileAddon(directory: string, compiler: string, context: SetupContext): Promise<void> {
  const root = join(directory, packagePath);
  const dependencies = join(directory, dependenciesPath);
  const includes = [
    join(directory, 'node_modules', 'node-api-headers', 'include'),
    root,
    join(dependencies, 'include'),
  ];
  const sources = ['tfjs_backend.cc', 'tfjs_binding.cc'].map((name) => join(root, 'binding', name));
  await mkdir(join(directory, addonPath, '..'), { recursive: true });
  const step = context.reporter.step(`tensorflow: compiling the addon with ${compiler}`);
  try {
    await runLogged(
      compiler,
      [
        ...compilerFlags,
        ...includes.map((path) => `-I${path}`),
        ...sources,
        ...libraryFiles.map((file) => join(dependencies, 'lib', file)),
        '-o',
        join(directory, addonPath),
      ],
      logged(context, 15),
    );
  } finally {
    step.end();
  }
}

/** Loads the addon in a process of its own and multiplies. @throws Error when it does not load or computes wrongly. */
export async function probeAddon(directory: string, { variables }: SetupContext): Promise<ProbeReport> {
  const program = join(packageRoot(), 'dist', 'tools', 'tensorflow-probe.js');
  const { code, output } = await captureCommand(process.execPath, [program, join(directory, packagePath)], {
    variables: { ...variables, TF_CPP_MIN_LOG_LEVEL: '2' },
    timeoutMs: 120_000,
  });
  const line = output.split('\n').find((candidate) => candidate.startsWith('{'));
  if (code !== 0 || line === undefined) {
    throw new Error(
      `the addon does not load: ${output.split('\n').findLast((text) => text.trim() !== '') ?? 'no output'}`,
    );
  }
  const report = reportSchema.parse(JSON.parse(line));
  if (report.sum !== expectedSum) throw new Error(`the addon computes ${report.sum} where ${expectedSum} is right`);
  return report;
}

const logged = ({ variables, environment }: SetupContext, minutes: number) => ({
  variables,
  timeoutMs: minutes * 60_000,
  logFile: logFile(environment.cacheDirectory, 'tensorflow'),
});

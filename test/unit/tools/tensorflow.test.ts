import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findPart, providePart } from '../../../tools/part.js';
import { probeAddon } from '../../../tools/tensorflow-addon.js';
import { tensorflow } from '../../../tools/tensorflow.js';
import { recordedContext } from '../../support/setup-context.js';
import { temporaryDirectory } from '../../support/temporary.js';

const onlyIn = (PATH: string, variables: Record<string, string> = {}) =>
  recordedContext({ NIGHTSTILL_CACHE: temporaryDirectory(), PATH, ...variables });

describe('TensorFlow', () => {
  it('loads its addon and multiplies, wherever set-up could install it', async () => {
    const context = recordedContext(process.env);
    const { found, refusals } = await findPart(tensorflow, context);
    // Optional by design: a machine without compiler or Python runs on wasm, and set-up has printed the same reasons.
    if (found === undefined) process.stdout.write(`TensorFlow is not installed here: ${JSON.stringify(refusals)}\n`);
    const report = found === undefined ? undefined : await probeAddon(found.location, context);
    expect(report?.tensorflow).toBe(found?.version);
    expect(report?.sum).toBe(found && 128);
  });

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

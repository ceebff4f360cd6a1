/** On a machine that can have a Temporal server and no TensorFlow: nothing is on PATH but `temporal`, and the cache is empty. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { provideLocalParts } from '../../../cli/dev/parts.js';
import { packageRoot } from '../../../tools/package-root.js';
import { nightstill } from '../../support/nightstill.js';
import { temporaryDirectory } from '../../support/temporary.js';

describe('where TensorFlow cannot be had', () => {
  let variables: Record<string, string>;
  let directory: string;

  beforeEach(() => {
    directory = temporaryDirectory();
    const PATH = join(directory, 'bin');
    mkdirSync(PATH);
    const version = 'temporal version 1.5.0 (Server 1.31.2, UI 2.50.1)';
    writeFileSync(join(PATH, 'temporal'), `#!/bin/sh\necho '${version}'\n`, { mode: 0o755 });
    variables = { PATH, NIGHTSTILL_CACHE: join(directory, 'cache'), NIGHTSTILL_STORE: `file://${directory}/store` };
  });

  it('a plan that computes with it is refused before anything is started, with what to write instead', async () => {
    const plan = join(packageRoot(), 'examples/first/distill.yaml');
    const { status, standardError } = await nightstill(['run', plan, '--dev'], variables);
    expect(standardError).toContain('numerics-unavailable: expected TensorFlow 2.21.0, which the plan computes with');
    expect(standardError).toContain('no C++ compiler');
    expect(standardError).toContain('numerics: { runner: wasm }');
    expect(standardError).not.toContain('starting a Temporal server');
    expect(status).toBe(2);
    expect(existsSync(join(directory, 'store'))).toBe(false);
  });

  it('a plan that computes without it, or that nobody knows yet, finds the server', async () => {
    const temporalBinary = join(directory, 'bin', 'temporal');
    await expect(provideLocalParts(variables, false)).resolves.toEqual({ temporalBinary });
    await expect(provideLocalParts(variables, undefined)).resolves.toEqual({ temporalBinary });
  });
});

/** With the TensorFlow that set-up has left: a plan that names another release of it is refused before anything is started. */
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { provideLocalParts } from '../../../cli/dev/parts.js';
import { tensorflowRelease } from '../../../config/numerics.js';
import { temporaryDirectory } from '../../support/temporary.js';

it('a plan that computes with another release than the one that is here is refused, with both', async () => {
  const directory = temporaryDirectory();
  const temporal = join(directory, 'temporal');
  writeFileSync(temporal, `#!/bin/sh\necho 'temporal version 1.5.0 (Server 1.31.2, UI 2.50.1)'\n`);
  chmodSync(temporal, 0o755);
  const variables = { ...process.env, PATH: `${directory}:${process.env['PATH']}` };
  const asked: (string | undefined)[] = [];
  const need = (missing: readonly string[]) => (here: string | undefined) => {
    asked.push(here);
    return Promise.resolve(missing);
  };
  await expect(provideLocalParts(variables, need([]))).resolves.toHaveProperty('temporalBinary');
  await expect(provideLocalParts(variables, need(['2.20.0']))).rejects.toMatchObject({
    code: 'numerics-unavailable',
    message: expect.stringContaining(
      `expected TensorFlow 2.20.0, which the plan computes with, found ${tensorflowRelease}`,
    ),
  });
  expect(asked).toEqual([tensorflowRelease, tensorflowRelease]);
});

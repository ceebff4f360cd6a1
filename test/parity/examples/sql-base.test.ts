/** The recipe of the first weights of the demo's student, with a few lessons and steps. */
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { compiledPath } from '../../support/processes.js';
import { temporaryDirectory } from '../../support/temporary.js';

const weightsOf = async (seed: number): Promise<Buffer> => {
  const directory = join(temporaryDirectory(), 'student');
  const words = [directory, '--lessons', '60', '--steps', '3', '--seed', String(seed)];
  await promisify(execFile)(process.execPath, [compiledPath('examples/sql/train-base.js'), ...words]);
  return readFileSync(join(directory, 'model.safetensors'));
};

test('the same recipe gives the same first weights, another seed gives others', async () => {
  const [first, again, other] = [await weightsOf(1), await weightsOf(1), await weightsOf(2)];
  expect(again.equals(first)).toBe(true);
  expect(other.equals(first)).toBe(false);
  expect(other.length).toBe(first.length);
});

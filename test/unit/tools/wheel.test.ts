import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { unpackWheel, type Wheel } from '../../../tools/wheel.js';
import { recordedContext } from '../../support/setup-context.js';
import { temporaryDirectory } from '../../support/temporary.js';

/** A real wheel of our own, for the real pip to fetch from a directory. */
const makeWheel = `
import sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w') as wheel:
    program = zipfile.ZipInfo('sample/bin/program')
    program.external_attr = 0o755 << 16
    wheel.writestr(program, '#!/bin/sh\\n')
    wheel.writestr('sample/include/header.h', '// header\\n')
    wheel.writestr('sample/unwanted.py', '')
    wheel.writestr('nightstill_sample-1.0.0.dist-info/METADATA', 'Metadata-Version: 2.1\\nName: nightstill-sample\\nVersion: 1.0.0\\n')
    wheel.writestr('nightstill_sample-1.0.0.dist-info/WHEEL', 'Wheel-Version: 1.0\\nGenerator: test\\nRoot-Is-Purelib: false\\nTag: py3-none-manylinux_2_17_x86_64\\n')
    wheel.writestr('nightstill_sample-1.0.0.dist-info/RECORD', '')
`;

const python = process.env['NIGHTSTILL_PYTHON'] ?? 'python3';
const index = temporaryDirectory();
const archive = join(index, 'nightstill_sample-1.0.0-py3-none-manylinux_2_17_x86_64.whl');
execFileSync(python, ['-c', makeWheel, archive]);
const bytes = readFileSync(archive);
const wheel: Wheel = {
  project: 'nightstill-sample',
  version: '1.0.0',
  platforms: ['manylinux_2_17_x86_64'],
  sha256: createHash('sha256').update(bytes).digest('hex'),
  bytes: bytes.length,
};

function context(variables: Record<string, string | undefined> = {}) {
  return recordedContext({
    ...process.env,
    NIGHTSTILL_CACHE: temporaryDirectory(),
    PIP_NO_INDEX: '1',
    PIP_FIND_LINKS: index,
    ...variables,
  });
}

function unpack(changes: Partial<Wheel>, members: readonly string[], destination = temporaryDirectory()) {
  mkdirSync(destination, { recursive: true });
  return unpackWheel({ wheel: { ...wheel, ...changes }, members, destination, part: 'sample' }, context());
}

describe('a wheel', () => {
  it('gives the members asked for, with their permissions, and leaves nothing else behind', async () => {
    const destination = temporaryDirectory();
    await unpack({}, ['sample/bin/*', 'sample/include/header.h'], destination);
    expect(statSync(join(destination, 'sample/bin/program')).mode & 0o111).not.toBe(0);
    expect(readFileSync(join(destination, 'sample/include/header.h'), 'utf8')).toBe('// header\n');
    expect(existsSync(join(destination, 'sample/unwanted.py'))).toBe(false);
    expect(existsSync(join(destination, 'download'))).toBe(false);
  });

  it('with another digest than the pinned one is refused', async () => {
    await expect(unpack({ sha256: '00'.repeat(32) }, ['sample/*'])).rejects.toThrow(/python3? ended with exit status/);
  });

  it('without a member that is needed is refused', async () => {
    await expect(unpack({}, ['sample/libmissing.so'])).rejects.toThrow('the wheel has no member sample/libmissing.so');
  });

  it('cannot be had without Python, and that is said in one line', async () => {
    const contents = { wheel, members: ['sample/*'], destination: temporaryDirectory(), part: 'sample' };
    await expect(unpackWheel(contents, context({ PATH: temporaryDirectory() }))).rejects.toThrow(/^no Python: /);
  });
});

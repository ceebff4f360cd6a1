/**
 * An S3 server for development and tests: versitygw over a directory. Earlier releases lose conditional-write races, so
 * the version is a floor and not a wish. No plan needs it: a store is a directory or a real object store. So it is optional, but
 * for tests, which name it.
 */
import { executableOnPath } from './executable-on-path.js';
import { goBuild, goProgramInCache, type GoProgram } from './go-build.js';
import type { Part } from './part.js';

const version = '1.8.0';

const program: GoProgram = {
  part: 's3-server',
  version,
  package: 'github.com/versity/versitygw/cmd/versitygw',
  folder: 'versitygw',
  executable: 'versitygw',
  linkerFlags: `-s -w -X main.Version=v${version}`,
};

export const s3Server: Part = {
  name: program.part,
  purpose: 'object store for development and tests',
  version,
  optional: true,
  sources: [
    executableOnPath({ name: 'versitygw', minimum: version, versionAfter: 'Version' }),
    goProgramInCache(program),
    goBuild(program),
  ],
};

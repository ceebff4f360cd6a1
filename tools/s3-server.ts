/**
 * An S3 server for development and tests: versitygw over a directory. Earlier releases lose conditional-write races, so
 * the version is a floor and not a wish. Production uses a real object store and needs none of this.
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
  optional: false,
  sources: [
    executableOnPath({ name: 'versitygw', minimum: version, versionAfter: 'Version' }),
    goProgramInCache(program),
    goBuild(program),
  ],
};

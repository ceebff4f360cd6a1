/**
 * The Temporal server: one that runs already, else a `temporal` executable to start. What counts is the server inside the
 * command line (its own version number may be anything), and every feature used here is in 1.29.
 */
import { connect } from 'node:net';
import { executableOnPath } from './executable-on-path.js';
import { goBuild, goProgramInCache, type GoProgram } from './go-build.js';
import { refuse, type Part, type Source } from './part.js';
import { sdkDownload, sdkDownloadInCache } from './sdk-download.js';

const minimumServer = '1.29.0';

const program: GoProgram = {
  part: 'temporal-server',
  version: '1.31.2',
  package: 'github.com/temporalio/cli/cmd/temporal',
  folder: 'temporal',
  executable: 'temporal',
  linkerFlags: '-s -w',
};

const runningServer: Source = {
  name: 'TEMPORAL_ADDRESS',
  effort: 'look',
  attempt: async ({ environment: { temporalAddress } }) => {
    if (temporalAddress === undefined) return refuse('not set');
    const problem = await tryConnect(temporalAddress, 3000);
    if (problem !== undefined) return refuse(`nothing answers at ${temporalAddress}: ${problem}`);
    return {
      found: { version: 'running', from: 'TEMPORAL_ADDRESS', kind: 'address', location: temporalAddress },
    };
  },
};

export const temporalServer: Part = {
  name: program.part,
  purpose: 'runs the workflows',
  version: program.version,
  optional: false,
  sources: [
    runningServer,
    executableOnPath({ name: 'temporal', minimum: minimumServer, versionAfter: 'Server ' }),
    goProgramInCache(program),
    sdkDownloadInCache(program),
    sdkDownload(program, minimumServer),
    goBuild(program),
  ],
};

/** Why no TCP connection can be made, or undefined when it can. */
function tryConnect(address: string, timeoutMs: number): Promise<string | undefined> {
  const separator = address.lastIndexOf(':');
  const host = address.slice(0, separator);
  const port = Number(address.slice(separator + 1));
  if (separator < 1 || !Number.isInteger(port)) return Promise.resolve('expected host:port');
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    const finish = (problem: string | undefined) => {
      socket.destroy();
      resolve(problem);
    };
    socket.setTimeout(timeoutMs, () => finish(`no answer within ${timeoutMs / 1000} s`));
    socket.once('connect', () => finish(undefined));
    socket.once('error', (error) => finish(error.message));
  });
}

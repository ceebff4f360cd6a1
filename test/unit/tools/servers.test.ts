import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { findPart, type Outcome } from '../../../tools/part.js';
import { s3Server } from '../../../tools/s3-server.js';
import { findEarlierDownload } from '../../../tools/sdk-download.js';
import { temporalServer } from '../../../tools/temporal-server.js';
import { recordedContext } from '../../support/setup-context.js';
import { temporaryDirectory } from '../../support/temporary.js';

/** A PATH with one program that prints these words. */
function pathWith(name: string, words: string, mode = 0o755): string {
  const directory = join(temporaryDirectory(), 'bin');
  mkdirSync(directory);
  writeFileSync(join(directory, name), `#!/bin/sh\necho '${words}'\n`, { mode });
  return directory;
}

const reasonOf = (outcome: Outcome, source: string): string | undefined =>
  outcome.refusals.find((refusal) => refusal.source === source)?.why;

describe('a Temporal server', () => {
  const context = (variables: Record<string, string>) =>
    recordedContext({ NIGHTSTILL_CACHE: temporaryDirectory(), ...variables });

  it('that runs at TEMPORAL_ADDRESS comes before everything else', async () => {
    const listener = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => listener.once('listening', resolve));
    const { port } = listener.address() as AddressInfo;
    const TEMPORAL_ADDRESS = `127.0.0.1:${port}`;
    const running = await findPart(temporalServer, context({ TEMPORAL_ADDRESS }));
    expect(running.found).toMatchObject({ kind: 'address', location: TEMPORAL_ADDRESS });
    await new Promise((resolve) => listener.close(resolve));
    const stopped = await findPart(temporalServer, context({ TEMPORAL_ADDRESS }));
    expect(reasonOf(stopped, 'TEMPORAL_ADDRESS')).toContain(`nothing answers at ${TEMPORAL_ADDRESS}`);
  });

  it('needs host and port in TEMPORAL_ADDRESS', async () => {
    const outcome = await findPart(temporalServer, context({ TEMPORAL_ADDRESS: 'localhost' }));
    expect(reasonOf(outcome, 'TEMPORAL_ADDRESS')).toContain('expected host:port');
  });

  it('on PATH is judged by the server in it, not by the version of the command line', async () => {
    const recent = pathWith('temporal', 'temporal version 0.0.0-DEV (Server 1.31.2, UI 2.50.1)');
    const { found } = await findPart(temporalServer, context({ PATH: recent }));
    expect(found).toMatchObject({ version: '1.31.2', from: 'PATH', location: join(recent, 'temporal') });
    const old = pathWith('temporal', 'temporal version 9.0.0 (Server 1.28.4, UI 2.0.0)');
    const outcome = await findPart(temporalServer, context({ PATH: old }));
    expect(reasonOf(outcome, 'PATH')).toBe(`${join(old, 'temporal')} is 1.28.4, expected 1.29.0 or newer`);
  });

  it('on PATH is passed over when it is no executable or names no version', async () => {
    const plainFile = pathWith('temporal', 'temporal version 1.0.0 (Server 1.31.2)', 0o644);
    expect(reasonOf(await findPart(temporalServer, context({ PATH: plainFile })), 'PATH')).toBe('no temporal on PATH');
    const mute = pathWith('temporal', 'hello');
    expect(reasonOf(await findPart(temporalServer, context({ PATH: mute })), 'PATH')).toContain('names no version');
  });
});

describe('a Temporal server that the SDK has downloaded before', () => {
  it('is taken over when it is a whole file that nobody else can have written', async () => {
    const directory = temporaryDirectory();
    const plant = (name: string, mode: number): string => {
      writeFileSync(join(directory, name), '');
      chmodSync(join(directory, name), mode);
      return join(directory, name);
    };
    plant('temporal-sdk-typescript-1.0.0.downloading', 0o755);
    plant('temporal-sdk-typescript-1.0.1', 0o777);
    symlinkSync(plant('elsewhere', 0o755), join(directory, 'temporal-sdk-typescript-1.0.2'));
    expect(await findEarlierDownload(directory)).toBeUndefined();
    const own = plant('temporal-sdk-typescript-1.0.3', 0o755);
    expect(await findEarlierDownload(directory)).toBe(own);
  });
});

describe('an S3 server', () => {
  it('older than 1.8.0 loses races and is not used', async () => {
    const PATH = pathWith('versitygw', 'Version  : v1.7.0');
    const outcome = await findPart(s3Server, recordedContext({ NIGHTSTILL_CACHE: temporaryDirectory(), PATH }));
    expect(reasonOf(outcome, 'PATH')).toContain('is 1.7.0, expected 1.8.0 or newer');
  });

  it('of 1.8.0 on PATH is used', async () => {
    const PATH = pathWith('versitygw', 'Version  : v1.8.0');
    const outcome = await findPart(s3Server, recordedContext({ NIGHTSTILL_CACHE: temporaryDirectory(), PATH }));
    expect(outcome.found).toMatchObject({ version: '1.8.0', from: 'PATH' });
  });
});

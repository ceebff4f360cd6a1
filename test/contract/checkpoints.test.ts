import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { openObjectStore } from '../../storage/index.js';
import { checkpointProtocol } from './checkpoints.contract.js';

describe('the checkpoint protocol in a directory', () => {
  let directory: string;
  checkpointProtocol(async () => {
    directory = await mkdtemp(join(tmpdir(), 'nightstill-checkpoints-'));
    return openObjectStore(pathToFileURL(directory).href, { forWriting: true });
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));
});

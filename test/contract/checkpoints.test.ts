import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { openObjectStore } from '../../storage/index.js';
import { aliasesAndRuns } from './aliases-and-runs.contract.js';
import { checkpointProtocol } from './checkpoints.contract.js';
import { corruption } from './corruption.contract.js';

describe('the checkpoint protocol in a directory', () => {
  let directory: string;
  checkpointProtocol(async () => {
    directory = await mkdtemp(join(tmpdir(), 'nightstill-checkpoints-'));
    return openObjectStore(pathToFileURL(directory).href, { forWriting: true });
  });
  aliasesAndRuns(() => openObjectStore(pathToFileURL(directory).href, { forWriting: true }));
  corruption(() => openObjectStore(pathToFileURL(directory).href, { forWriting: true }));
  afterAll(() => rm(directory, { recursive: true, force: true }));
});

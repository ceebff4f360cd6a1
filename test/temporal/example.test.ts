import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { Night } from '../support/night.js';
import { compiledPath } from '../support/processes.js';
import { temporaryDirectory } from '../support/temporary.js';

describe('examples/import', () => {
  let night: Night;
  beforeAll(async () => {
    night = await Night.begin();
    await Promise.all([night.addWorker('orchestrator'), night.addWorker('io')]);
  });
  afterAll(() => night.end());

  const runExample = async (store: string): Promise<{ reused: boolean; outputs: Record<string, unknown> }> => {
    const dataset = join(compiledPath('..'), 'examples', 'import', 'questions.jsonl');
    const environment = { ...process.env, TEMPORAL_ADDRESS: night.temporal.address };
    const program = compiledPath('examples/import/start.js');
    const { stdout } = await promisify(execFile)(process.execPath, [program, dataset, store], { env: environment });
    return JSON.parse(stdout) as { reused: boolean; outputs: Record<string, unknown> };
  };

  it('imports its four rows, and finds them again without work', async () => {
    const store = pathToFileURL(join(temporaryDirectory(), 'store')).href;
    const first = await runExample(store);
    expect(first).toMatchObject({ reused: false, outputs: { dataset: { kind: 'dataset', rows: 4 } } });
    expect(await runExample(store)).toEqual({ ...first, reused: true });
  });
});

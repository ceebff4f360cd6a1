/** Output that nobody reads any more, as of `nightstill watch --json | head -1`. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { NightFiles } from '../support/night-files.js';
import { importPlan, Night } from '../support/night.js';
import { compiledPath } from '../support/processes.js';

let files: NightFiles;
let night: Night;
beforeAll(async () => {
  files = await NightFiles.create();
  night = await Night.begin();
});
afterAll(async () => {
  await night.end();
  await files.remove();
});

it('watch ends without a word when its reader leaves after a line, and the run goes on', async () => {
  const plan = importPlan({ store: files.newStore(), dataset: await files.newDataset() });
  const handle = await night.start(files.newRunId(), plan);
  const watching = spawn(process.execPath, [compiledPath('cli/main.js'), 'watch', handle.runId, '--json'], {
    env: { ...process.env, TEMPORAL_ADDRESS: night.temporal.address },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [errors, exited] = [text(watching.stderr), once(watching, 'exit')];
  const [line] = (await once(createInterface({ input: watching.stdout }), 'line')) as [string];
  expect(JSON.parse(line)).toMatchObject({ type: expect.any(String) as string });
  watching.stdout.destroy();
  // What happens next is what it cannot tell any more.
  await night.addWorker('orchestrator');
  expect([await exited, await errors]).toEqual([[130, null], '']);
  await night.addWorker('io');
  expect((await handle.result()).nodes['import']).toBeDefined();
});

/** A run that an operator resets goes on under its id, for everybody who waits for it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunHandle } from '../../client/index.js';
import { NightFiles } from '../support/night-files.js';
import { until } from '../support/processes.js';
import { smallPlan, SmallNight } from '../support/small-night.js';

let files: NightFiles;
let night: SmallNight;

beforeAll(async () => {
  files = await NightFiles.create();
  night = await SmallNight.begin();
  await Promise.all([night.addWorker('orchestrator'), night.addWorker('io')]);
});

afterAll(async () => {
  await night.end();
  await files.remove();
});

/** Its stage is at work, and waits for that file. */
async function runThatWaitsFor(waitFor: string): Promise<RunHandle> {
  const stages = [{ id: 'note', with: { text: 'a text', waitFor } }];
  const run = await night.start(files.newRunId(), smallPlan(files.newStore(), stages));
  await until('a stage at work', async () => (await run.state()).nodes[0]?.status === 'running');
  return run;
}

it('has the result that it comes to in the end, also for whoever waited before', async () => {
  const file = join(files.directory, 'go-on');
  const run = await runThatWaitsFor(file);
  const result = run.result();
  await night.reset(run.runId);
  writeFileSync(file, '');
  expect(await result).toMatchObject({ nodes: { note: { reused: false } } });
});

it('is terminated for whoever waits where its newest execution is', async () => {
  const run = await runThatWaitsFor(join(files.directory, 'never'));
  const result = run.result().catch((error: unknown) => error);
  await night.reset(run.runId);
  await night.client.workflow.getHandle(run.runId).terminate('a test');
  expect(await result).toMatchObject({ code: 'run-terminated' });
});

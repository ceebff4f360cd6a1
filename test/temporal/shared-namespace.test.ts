/** Two projects in one namespace, told apart by the prefix of their queues: neither does the work of the other. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { NightFiles } from '../support/night-files.js';
import { smallPlan, SmallNight } from '../support/small-night.js';

const projects = ['left', 'right'];

let files: NightFiles;
let night: SmallNight;

beforeAll(async () => {
  files = await NightFiles.create();
  night = await SmallNight.begin();
  for (const project of projects)
    await Promise.all([night.addWorker('orchestrator', project), night.addWorker('io', project)]);
});

afterAll(async () => {
  await night.end();
  await files.remove();
});

it('each project sends every task to queues of its own prefix, and runs to its end beside the other', async () => {
  const dataset = join(files.directory, 'rows.jsonl');
  await writeFile(dataset, '{"prompt":"question","response":"answer"}\n');
  const stages = [
    { id: 'import', uses: 'import', with: { dataset } },
    { id: 'note', needs: ['import'] },
  ];
  const runs = await Promise.all(
    projects.map((project) => night.start(`${project}-run`, smallPlan(files.newStore(), stages), project)),
  );
  for (const [index, run] of runs.entries()) {
    expect(Object.keys((await run.result()).nodes).toSorted()).toEqual(['import', 'note']);
    expect(await queuesOf(run.runId)).toEqual([`${projects[index]}-io`, `${projects[index]}-orchestrator`]);
  }
});

/** Of the workflow and of all its activities. */
async function queuesOf(workflowId: string): Promise<string[]> {
  const { events } = await night.client.workflow.getHandle(workflowId).fetchHistory();
  const queues = (events ?? []).flatMap((event) => {
    const { workflowExecutionStartedEventAttributes: begun, activityTaskScheduledEventAttributes: activity } = event;
    return (begun ?? activity)?.taskQueue?.name ?? [];
  });
  return [...new Set(queues)].toSorted();
}

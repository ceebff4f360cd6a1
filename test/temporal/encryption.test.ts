/**
 * A user's data converter encrypts what a run says to Temporal: nothing of the plan is to be read in its history. What stays
 * in the clear is what Temporal routes by and our own vocabulary: the run id, ids of nodes (they are ids of activities), names
 * of activities and queues, codes of failures.
 */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { Worker } from '@temporalio/worker';
import { DistillationPlugin } from '../../plugins/index.js';
import type { Json } from '../../storage/index.js';
import { encrypted } from '../support/encryption.js';
import { NightFiles } from '../support/night-files.js';
import { compiledPath, until } from '../support/processes.js';
import { smallPlan, SmallNight, type SmallStage } from '../support/small-night.js';

const planName = 'plan-name-7c1d';
const prompt = 'prompt-text-90ab';
const response = 'response-text-51ee';
const secrets = [planName, prompt, response, 'store-path-33f0', 'dataset-path-42aa'];

let files: NightFiles;
let night: SmallNight;

beforeAll(async () => {
  files = await NightFiles.create();
  night = await SmallNight.begin({ dataConverter: encrypted() });
  await Promise.all([night.addWorker('io'), night.addWorker('orchestrator')]);
});

afterAll(async () => {
  await night.end();
  await files.remove();
});

/** Everything that Temporal can say of a run, with what can be decoded without a key decoded. */
async function readable(runId: string): Promise<string> {
  const { namespace } = night.client.options;
  const handle = night.client.workflow.getHandle(runId);
  const { raw } = await handle.describe();
  const metadata = await night.client.workflowService.queryWorkflow({
    namespace,
    execution: { workflowId: runId },
    query: { queryType: '__temporal_workflow_metadata' },
  });
  const texts = [historyToJSON(await handle.fetchHistory()), JSON.stringify(raw), JSON.stringify(metadata)];
  const encoded = texts.join('\n').matchAll(/"([A-Za-z0-9+/]{12,}={0,2})"/g);
  return [...texts, ...[...encoded].map(([, data = '']) => Buffer.from(data, 'base64').toString('latin1'))].join('\n');
}

const found = (text: string): string[] => [...secrets, files.directory].filter((secret) => text.includes(secret));

async function planOf(...more: readonly SmallStage[]): Promise<Json> {
  const dataset = join(files.directory, 'dataset-path-42aa.jsonl');
  await writeFile(dataset, `{"prompt":"${prompt}","response":"${response}"}\n`);
  const stages = [
    { id: 'import', uses: 'import', with: { dataset } },
    { id: 'note', with: { text: prompt } },
    { id: 'last', needs: ['note'], inputs: { first: 'note.note' }, with: { text: response } },
  ];
  const top = { name: planName, onFailure: 'finish-others' };
  return smallPlan(`${files.newStore()}-store-path-33f0`, [...stages, ...more], top);
}

describe('under an encrypting data converter', () => {
  it('a run comes to its result, and Temporal can tell no prompt, path or name of its plan', async () => {
    const runId = files.newRunId();
    const handle = await night.start(runId, await planOf());
    expect(Object.keys((await handle.result()).nodes).toSorted()).toEqual(['import', 'last', 'note']);
    expect(await handle.state()).toMatchObject({ plan: planName });
    const text = await readable(runId);
    expect(text).toContain('binary/encrypted');
    expect(found(text)).toEqual([]);
  });

  it('nor can it while attempts fail, heartbeat and wait, nor when the run has failed', async () => {
    const runId = files.newRunId();
    const broken = { id: 'broken', uses: 'failing', with: { code: 'child-died', prompt } };
    const handle = await night.start(runId, await planOf(broken));
    const waiting = await until('an attempt that failed', async () => {
      const text = await readable(runId);
      return /"lastFailure":\{/.test(text) && text;
    });
    expect(found(waiting)).toEqual([]);
    await expect(handle.result()).rejects.toMatchObject({
      code: 'child-died',
      message: expect.stringContaining(prompt),
    });
    expect(found(await readable(runId))).toEqual([]);
  });

  it('what is not encrypted can be found: ids, names of activities, codes', async () => {
    const runId = files.newRunId();
    await (await night.start(runId, await planOf())).result();
    const text = await readable(runId);
    expect(['import:lookup', 'nightstill.note', 'nightstill-io', runId].filter((name) => !text.includes(name))).toEqual(
      [],
    );
  });

  it('its history replays with that converter, and without it does not', async () => {
    const workflowId = files.newRunId();
    await (await night.start(workflowId, await planOf())).result();
    const history = await night.client.workflow.getHandle(workflowId).fetchHistory();
    const failuresWith = async (options: object): Promise<unknown[]> => {
      const plugins = [new DistillationPlugin({ role: 'orchestrator' })];
      const replay = { workflowsPath: compiledPath('workflows/index.js'), plugins, ...options };
      const failures: unknown[] = [];
      for await (const { error } of Worker.runReplayHistories(replay, [{ workflowId, history }]))
        if (error) failures.push(error);
      return failures;
    };
    expect(await failuresWith(night.options)).toEqual([]);
    expect(await failuresWith({})).toHaveLength(1);
  });
});

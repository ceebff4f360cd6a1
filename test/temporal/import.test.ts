/** Whole runs through a real Temporal server, with worker processes as users run them. */
import { appendFile, stat, utimes, writeFile } from 'node:fs/promises';
import { RunHandle, start } from '../../client/index.js';
import { openObjectStore, parseDigest, readArtifact, readBlob, readRun } from '../../storage/index.js';
import { jsonLines, putObject } from '../support/datasets.js';
import { NightFiles } from '../support/night-files.js';
import { importPlan, Night } from '../support/night.js';
import { S3Server } from '../support/s3-server.js';

let files: NightFiles;
let s3: S3Server;
let night: Night;

beforeAll(async () => {
  files = await NightFiles.create();
  s3 = await S3Server.start();
  night = await Night.begin(s3.environment);
  await Promise.all([night.addWorker('io'), night.addWorker('orchestrator')]);
});

afterAll(async () => {
  await night.end();
  await s3.stop();
  await files.remove();
});

async function importedText(storeUrl: string, handle: RunHandle): Promise<string> {
  const { nodes } = await handle.result();
  const dataset = nodes['import']?.outputs['dataset'];
  if (!dataset) throw new Error('expected an artifact');
  const store = await openObjectStore(storeUrl);
  try {
    const { parts } = await readArtifact(store, { ...dataset, digest: parseDigest(dataset.digest) });
    return Buffer.concat(await Promise.all(parts.map((part) => readBlob(store, part)))).toString();
  } finally {
    await store.close();
  }
}

describe('a run', () => {
  it('imports a file into a file store, and the artifact can be read there', async () => {
    const store = files.newStore();
    const handle = await night.start(files.newRunId(), importPlan({ store, dataset: await files.newDataset() }));
    const { nodes } = await handle.result();
    expect(nodes).toEqual({
      import: {
        reused: false,
        stageKey: expect.stringMatching(/^[0-9a-f]{64}$/),
        outputs: {
          dataset: {
            kind: 'dataset',
            digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/),
            uri: expect.stringContaining(`${store}/blobs/sha256/`),
            bytes: expect.any(Number),
            rows: jsonLines(300_000).trimEnd().split('\n').length,
            indexBytes: expect.any(Number),
          },
        },
      },
    });
    const text = await importedText(store, handle);
    expect(text).toHaveLength(nodes['import']?.outputs['dataset']?.bytes ?? 0);
    expect(text.split('\n')[3]).toContain('What is 1/3?');
  });

  it('imports an object of S3 into S3, to the same artifact as a file of the same content', async () => {
    const content = jsonLines(300_000, 2);
    const fromFile = await night.start(
      files.newRunId(),
      importPlan({ store: files.newStore(), dataset: await files.newDataset(content) }),
    );
    await putObject(s3.url('datasets'), 'rows.jsonl', content);
    const fromS3 = await night.start(
      files.newRunId(),
      importPlan({ store: s3.url('store'), dataset: s3.url('datasets/rows.jsonl') }),
    );
    const [one, other] = await Promise.all([fromFile.result(), fromS3.result()]);
    expect(other.nodes['import']?.outputs['dataset']?.uri).toMatch(/^s3:\/\/nightstill-test\/store\/blobs/);
    expect(other.nodes['import']?.outputs['dataset']?.digest).toBe(one.nodes['import']?.outputs['dataset']?.digest);
  });

  it('keeps a record in the store: which plan, which stages, how it ended', async () => {
    const store = files.newStore();
    const runId = files.newRunId();
    const { nodes } = await (
      await night.start(runId, importPlan({ store, dataset: await files.newDataset() }))
    ).result();
    const opened = await openObjectStore(store);
    expect(await readRun(opened, runId)).toMatchObject({
      id: runId,
      status: 'closed',
      outcome: { status: 'completed', nodes: [{ id: 'import', status: 'done' }] },
      stages: { import: nodes['import']?.stageKey },
    });
    await opened.close();
  });

  it('answers the state of its nodes', async () => {
    const handle = await night.start(
      files.newRunId(),
      importPlan({ store: files.newStore(), dataset: await files.newDataset() }),
    );
    await handle.result();
    expect(await handle.state()).toEqual({
      plan: 'nightly',
      unserved: [],
      nodes: [
        {
          id: 'import',
          uses: 'import',
          needs: [],
          queue: 'nightstill-io',
          status: 'done',
          why: expect.stringMatching(/./),
        },
      ],
    });
  });

  it('leaves a small history that holds digests and no data', async () => {
    const runId = files.newRunId();
    const canary = 'canary-5f1e';
    const dataset = await files.newDataset(`{"prompt":"${canary}","${canary}":1}\n${jsonLines(200_000)}`);
    await (await night.start(runId, importPlan({ store: files.newStore(), dataset }))).result();
    const { text, types } = await night.historyOf(runId);
    expect(text).toContain('sha256:');
    expect(text).not.toContain(canary);
    expect(types.length).toBeLessThan(50);
    expect(text.length).toBeLessThan(60_000);
  });
});

describe('a dataset that was imported before', () => {
  it('is recognised by its size and time without being read', async () => {
    const store = files.newStore();
    const dataset = await files.newDataset(jsonLines(200_000, 1));
    const time = new Date(Date.now() - 60_000);
    await utimes(dataset, time, time);
    const first = await (await night.start(files.newRunId(), importPlan({ store, dataset }))).result();
    const { mtimeNs, size } = await stat(dataset, { bigint: true });
    await writeFile(dataset, ' '.repeat(Number(size)));
    await utimes(dataset, time, time);
    expect(await stat(dataset, { bigint: true })).toMatchObject({ mtimeNs, size });

    const runId = files.newRunId();
    const second = await (await night.start(runId, importPlan({ store, dataset }))).result();
    expect(second.nodes['import']).toEqual({ ...first.nodes['import'], reused: true });
    expect((await night.historyOf(runId)).text).not.toContain('nightstill.import"');
  });

  it('is read again when it has changed', async () => {
    const store = files.newStore();
    const dataset = await files.newDataset(jsonLines(100_000, 1));
    const first = await (await night.start(files.newRunId(), importPlan({ store, dataset }))).result();
    await appendFile(dataset, '{"prompt":"one more"}\n');
    const second = await (await night.start(files.newRunId(), importPlan({ store, dataset }))).result();
    expect(second.nodes['import']).toMatchObject({ reused: false });
    expect(second.nodes['import']?.outputs['dataset']?.rows).toBe(
      (first.nodes['import']?.outputs['dataset']?.rows ?? 0) + 1,
    );
  });
});

describe('a run that did not end by itself', () => {
  const nobody = { taskQueue: 'nobody-orchestrator', workflowExecutionTimeout: '1s' } as const;

  it('has a code when it was terminated, and may be started again', async () => {
    const runId = files.newRunId();
    const plan = importPlan({ store: files.newStore(), dataset: await files.newDataset() });
    const handle = await start({ client: night.client, runId, file: plan, queuePrefix: 'nobody' });
    await night.client.workflow.getHandle(runId).terminate('by hand');
    await expect(handle.result()).rejects.toMatchObject({ code: 'run-terminated', details: { runId } });
    const again = await night.start(runId, plan);
    expect((await again.result()).nodes['import']).toMatchObject({ reused: false });
  });

  it('has a code when it ran out of time', async () => {
    const workflowId = files.newRunId();
    await night.client.workflow.start('distill', { ...nobody, workflowId, args: [{ file: {} }] });
    const handle = new RunHandle(night.client, workflowId);
    await expect(handle.result()).rejects.toMatchObject({ code: 'run-terminated' });
  });
});

describe('a run id', () => {
  it('that was never started has a code, whatever is asked of it', async () => {
    const handle = new RunHandle(night.client, files.newRunId());
    for (const ask of [() => handle.result(), () => handle.state(), () => handle.cancel()]) {
      await expect(ask()).rejects.toMatchObject({ code: 'run-missing' });
    }
  });

  it('joins the run that is there with the same plan, also when it is over', async () => {
    const plan = importPlan({ store: files.newStore(), dataset: await files.newDataset() });
    const runId = files.newRunId();
    const [one, other] = await Promise.all([night.start(runId, plan), night.start(runId, plan)]);
    expect(await one.result()).toEqual(await other.result());
    const { text } = await night.historyOf(runId);
    const again = await night.start(runId, plan);
    expect(await again.result()).toEqual(await one.result());
    expect((await night.historyOf(runId)).text).toBe(text);
  });

  it('is refused with another plan', async () => {
    const runId = files.newRunId();
    const dataset = await files.newDataset();
    await (await night.start(runId, importPlan({ store: files.newStore(), dataset }))).result();
    const other = night.start(runId, importPlan({ store: files.newStore(), dataset }));
    await expect(other).rejects.toMatchObject({ code: 'run-conflict' });
  });

  it('that is not given comes from the plan', async () => {
    const plan = importPlan({ store: files.newStore(), dataset: await files.newDataset() });
    const [one, other] = await Promise.all([night.startUnnamed(plan), night.startUnnamed(plan)]);
    expect(one.runId).toMatch(/^nightstill-[0-9a-f]{16}$/);
    expect(other.runId).toBe(one.runId);
    await one.result();
  });
});

import { NightFiles } from '../support/night-files.js';
import { Night } from '../support/night.js';
import { startProgram, type RunningProcess } from '../support/processes.js';

interface Answer {
  readonly status: number;
  readonly body: unknown;
}

describe('examples/trigger-from-an-app', () => {
  let files: NightFiles;
  let night: Night;
  let service: RunningProcess;
  let url: string;

  beforeAll(async () => {
    files = await NightFiles.create();
    night = await Night.begin();
    await Promise.all([night.addWorker('orchestrator'), night.addWorker('io')]);
    const environment = { TEMPORAL_ADDRESS: night.temporal.address };
    const program = 'examples/trigger-from-an-app/server.js';
    service = await startProgram(program, [files.newStore(), '0'], environment, 'listening');
    url = `http://127.0.0.1:${/port (\d+)/.exec(service.output())?.[1]}/distillations`;
  });
  afterAll(async () => {
    service.signal('SIGTERM');
    await service.exited;
    await night.end();
    await files.remove();
  });

  const ask = async (path: string, request: RequestInit = {}): Promise<Answer> => {
    const response = await fetch(`${url}${path}`, request);
    return { status: response.status, body: await response.json() };
  };
  const post = (body: string): Promise<Answer> => ask('', { method: 'POST', body });

  it('starts a run once by its id, tells how it stands, and streams what happens to its end', async () => {
    const body = JSON.stringify({ id: 'support/1', dataset: await files.newDataset() });
    const started = await post(body);
    expect(started).toEqual({
      status: 202,
      body: { id: 'support/1', events: '/distillations/support%2F1/events' },
    });
    expect(await post(body)).toEqual(started);
    const stream = await fetch(`${url}/support%2F1/events`);
    expect(stream.headers.get('content-type')).toBe('text/event-stream');
    const events = [...(await stream.text()).matchAll(/^event: (.+)\ndata: (.+)\n\n/gm)].map(([, type, data = '']) => {
      const event = JSON.parse(data) as { type: string; status?: string };
      expect(event.type).toBe(type);
      return event;
    });
    expect(events.map(({ type }) => type)).toContain('plan');
    expect(events.at(-1)).toMatchObject({ type: 'end', status: 'completed' });
    expect(await ask('/support%2F1')).toMatchObject({
      status: 200,
      body: { status: 'completed', nodes: [{ id: 'import', status: 'done' }] },
    });
  });

  it('answers what went wrong with the code, and whose fault it was in the status', async () => {
    const id = files.newRunId();
    await post(JSON.stringify({ id, dataset: await files.newDataset() }));
    const other = await post(JSON.stringify({ id, dataset: await files.newDataset() }));
    expect(other).toMatchObject({ status: 409, body: { code: 'run-conflict', remedy: expect.any(String) } });
    expect(await ask('/none')).toMatchObject({ status: 404, body: { code: 'run-missing' } });
    expect(await ask('/none/events')).toMatchObject({ status: 404, body: { code: 'run-missing' } });
    expect(await post('{')).toMatchObject({ status: 400 });
    expect(await post('{}')).toMatchObject({ status: 400 });
    const secret = await post(JSON.stringify({ id, dataset: 's3://me:secret@bucket/rows.jsonl' }));
    expect(secret).toMatchObject({ status: 400, body: { code: 'plan-invalid' } });
    expect(await ask('', { method: 'DELETE' })).toMatchObject({ status: 405 });
  });
});

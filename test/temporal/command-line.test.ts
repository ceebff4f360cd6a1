import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { descendantsOf, isAlive, processesRunning, until } from '../support/processes.js';
import { temporaryDirectory } from '../support/temporary.js';
import { codeOf, eventsOf, Terminal, type Running } from '../support/terminal.js';

const directory = temporaryDirectory();
const terminal = new Terminal(directory);
writeFileSync(join(directory, 'rows.jsonl'), '{"prompt":"1 + 1","response":"2"}\n{"prompt":"1 + 2","response":"3"}\n');
writeFileSync(
  join(directory, 'night.yaml'),
  'name: night\nstages:\n  - { id: rows, uses: import, with: { dataset: rows.jsonl } }\n',
);
writeFileSync(
  join(directory, 'scheduled.yaml'),
  'name: scheduled\nschedule: { cron: 0 3 1 1 * }\n' +
    'stages:\n  - { id: rows, uses: import, with: { dataset: rows.jsonl } }\n',
);
writeFileSync(join(directory, 'broken.js'), 'throw new Error("this module is broken");\n');

const serversHere = (): number[] => processesRunning(join(directory, '.nightstill', 'temporal.db'));

describe('nightstill dev', () => {
  let dev: Running;
  beforeAll(async () => {
    dev = terminal.start('dev');
    await dev.says('nightstill is ready');
  });

  it('serves its directory alone: a second one says who does', async () => {
    const second = await terminal.run('dev');
    expect({ status: second.status, code: codeOf(second) }).toEqual({ status: 2, code: 'dev-running' });
    expect(second.standardError).toMatch(/^dev-running: .*`nightstill dev` \(process \d+\) at 127\.0\.0\.1:\d+/m);
  });

  it('runs a plan to its end, and afterwards says how it stands, why, and what happened', async () => {
    const run = await terminal.run('run', 'night.yaml', '--json', '--run-id', 'first');
    expect({ status: run.status, error: run.standardError }).toMatchObject({ status: 0 });
    const events = eventsOf(run);
    expect(events[0]).toEqual({ type: 'started', run: 'first', joined: false });
    expect(events.at(-1)).toMatchObject({
      type: 'end',
      status: 'completed',
      result: { nodes: { rows: { reused: false } } },
    });

    const again = await terminal.run('run', 'night.yaml');
    expect(again.status).toBe(0);
    expect(again.standardOutput).toMatch(/rows: reused \(recorded by run first\)/);
    expect(again.standardOutput).toMatch(/nightstill explain night-\d{4}-\d{6} rows/);

    const preview = await terminal.run('plan', 'night.yaml', '--json');
    expect(JSON.parse(preview.standardOutput)).toMatchObject({
      plan: 'night',
      nodes: [{ id: 'rows', verdict: 'reused' }],
    });
    const listed = await terminal.run('status', '--json');
    expect(JSON.parse(listed.standardOutput)).toContainEqual(
      expect.objectContaining({ run: 'first', status: 'completed' }),
    );
    const status = await terminal.run('status', 'first');
    expect(status.standardOutput).toMatch(/night {2}run first {2}completed[^]*✓ rows +import +ran/);
    const explained = await terminal.run('explain', 'first', '--json');
    expect(JSON.parse(explained.standardOutput)).toMatchObject([{ node: 'rows', status: 'done', recordedBy: 'first' }]);
    const logs = await terminal.run('logs', 'first');
    expect(logs.standardOutput).toMatch(
      /run started\n[^]*rows: attempt 1 on nightstill-io@[^]*rows: completed\n[^]*run completed\n$/,
    );
    const watched = await terminal.run('watch', 'first');
    expect({ status: watched.status, last: watched.standardOutput.trim().split('\n').at(-1) }).toEqual({
      status: 0,
      last: 'run first: completed',
    });
    expect((await terminal.run('logs', '--process', 'io')).standardOutput).toContain('── io\n');
  });

  it('schedules a plan, says how its nights stand, and starts one', async () => {
    const made = await terminal.run('schedule', 'upsert', 'scheduled.yaml');
    expect({ status: made.status, text: made.standardOutput }).toEqual({
      status: 0,
      text: expect.stringMatching(/^scheduled {2}active\n {2}next +\d{4}-01-01 03:00[^]*made\n$/),
    });
    expect((await terminal.run('schedule', 'upsert', 'scheduled.yaml')).standardOutput).toMatch(/nothing changed\n$/);
    const paused = await terminal.run('schedule', 'pause', 'scheduled', '--reason', 'a holiday');
    expect(paused.standardOutput).toMatch(/^scheduled {2}paused: a holiday\n/);
    const { run } = JSON.parse((await terminal.run('schedule', 'trigger', 'scheduled', '--json')).standardOutput);
    await until('the run of the night', async () => (await terminal.run('status', run)).status === 0);
    expect((await terminal.run('watch', run)).standardOutput).toContain(`run ${run}: completed`);
    expect((await terminal.run('schedule', 'list')).standardOutput).toMatch(/scheduled +paused: a holiday/);
    expect((await terminal.run('schedule', 'remove', 'scheduled')).status).toBe(0);
    const gone = await terminal.run('schedule', 'resume', 'scheduled');
    expect({ status: gone.status, code: codeOf(gone) }).toEqual({ status: 2, code: 'schedule-missing' });
  });

  it('is left by Ctrl-C with the run going on, which is then cancelled, and everything says so', async () => {
    const run = terminal.start('run', 'night.yaml', '--run-id', 'left', '--queue-prefix', 'nobody');
    await run.says('no worker serves nobody-orchestrator: start one with `nightstill worker --role orchestrator');
    run.signal('SIGINT');
    const { status, standardError } = await run.ended;
    expect({ status, standardError }).toEqual({
      status: 130,
      standardError: expect.stringMatching(/The run goes on\.\n +nightstill watch left /) as string,
    });
    const early = await terminal.run('export', 'left', 'model');
    expect({ status: early.status, code: codeOf(early) }).toEqual({ status: 2, code: 'run-unfinished' });
    expect((await terminal.run('cancel', 'left', '--no-wait')).standardOutput).toBe('run left was asked to end\n');
    const cancel = terminal.start('cancel', 'left');
    await cancel.says('run left was asked to end');
    await cancel.says('no worker serves nobody-orchestrator: start one with `nightstill worker --role orchestrator');
    const worker = terminal.start('worker', '--role', 'orchestrator', '--queue-prefix', 'nobody');
    const { standardOutput } = await cancel.ended;
    expect(standardOutput).toMatch(/^run left was asked to end\nrun left: cancelled\n$/);
    expect((await terminal.run('cancel', 'left')).standardOutput).toMatch(
      /^run left: it had ended|^run left: cancelled/m,
    );
    expect((await terminal.run('watch', 'left')).status).toBe(3);
    worker.signal('SIGINT');
    expect((await worker.ended).status).toBe(0);
  });

  it('has exit status 2 for whoever asks for what is not there', async () => {
    for (const [words, code] of [
      [['watch', 'none'], 'run-missing'],
      [['cancel', 'none'], 'run-missing'],
      [['explain', 'none'], 'run-missing'],
      [['explain', 'first', 'rosw'], 'node-missing'],
      [['logs', 'first', '--node', 'rosw'], 'node-missing'],
      [['export', 'first', 'model'], 'model-unnamed'],
      [['run', 'rows.jsonl'], 'plan-invalid'],
    ] as const) {
      const output = await terminal.run(...words);
      expect({ words, status: output.status, code: codeOf(output) }).toEqual({ words, status: 2, code });
    }
    const elsewhere = await new Terminal(temporaryDirectory()).run('logs');
    expect({ status: elsewhere.status, code: codeOf(elsewhere) }).toEqual({ status: 2, code: 'logs-missing' });
  });

  it('starts a worker again that dies, and ends everything in order when it is asked to', async () => {
    const [io] = descendantsOf(dev.pid).filter((pid) => processesRunning('worker-child.js io').includes(pid));
    process.kill(io ?? 0, 'SIGKILL');
    await dev.says('io worker ended (SIGKILL): started again');
    const children = await until('four processes', () => {
      const found = descendantsOf(dev.pid);
      return found.length >= 4 && found;
    });
    dev.signal('SIGINT');
    expect(await dev.ended).toMatchObject({ status: 0 });
    expect(children.filter(isAlive)).toEqual([]);
  });
});

describe('nightstill run without servers', () => {
  it('starts its own, also where a dev was killed and left a server behind, and leaves none', async () => {
    const dev = terminal.start('dev');
    await dev.says('nightstill is ready');
    dev.signal('SIGKILL');
    await dev.ended;
    expect(serversHere()).toHaveLength(1);
    const run = await terminal.run('run', 'night.yaml', '--dev', '--json');
    expect({ status: run.status, last: eventsOf(run).at(-1) }).toMatchObject({
      status: 0,
      last: { status: 'completed' },
    });
    expect(serversHere()).toEqual([]);
  });

  it('is left while it starts them: at once, when it is asked twice', async () => {
    const run = terminal.start('run', 'night.yaml', '--dev');
    await run.says('starting a Temporal server');
    run.signal('SIGINT');
    await run.says('Ctrl-C again: at once');
    run.signal('SIGINT');
    const { status, standardError } = await run.ended;
    expect({ status, isUp: standardError.includes('Temporal at') }).toEqual({ status: 130, isUp: false });
    await until('the end of what it had begun', () => serversHere().length === 0);
    expect((await terminal.run('run', 'night.yaml', '--dev', '--json')).status).toBe(0);
  });

  it('proves nothing where no training is killed, and says so', async () => {
    const proof = await terminal.run('run', 'night.yaml', '--prove');
    expect({ status: proof.status, code: codeOf(proof) }).toEqual({ status: 2, code: 'proof-without-kill' });
  });

  it('says what keeps a worker from starting', async () => {
    const dev = await terminal.run('dev', '--stages', 'broken.js');
    expect({ status: dev.status, code: codeOf(dev) }).toEqual({ status: 1, code: 'dev-start-failed' });
    expect(dev.standardError).toMatch(/worker: expected it to become ready, [^]*this module is broken/);
    expect(serversHere()).toEqual([]);
  });
});

import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { descendantsOf, until } from '../support/processes.js';
import { temporaryDirectory } from '../support/temporary.js';
import type { Kill } from '../../cli/dev/midway-kills.js';
import { eventsOf, Terminal } from '../support/terminal.js';

const plan = join(import.meta.dirname, '../../examples/first/distill.yaml');

interface Proof {
  readonly type: string;
  readonly equal: boolean;
  readonly kills: readonly Kill[];
  readonly models: readonly { readonly model: string; readonly undisturbed: string; readonly killed: string }[];
}

describe('examples/first', () => {
  const directory = temporaryDirectory();
  const terminal = new Terminal(directory);

  it('goes on from its checkpoint after Ctrl-C, and comes to the same models when its trainings are killed', async () => {
    const first = terminal.start('run', plan, '--json');
    await first.says('"durable"', 300_000);
    first.signal('SIGINT');
    const left = await first.ended;
    expect({ status: left.status, error: left.standardError }).toEqual({
      status: 130,
      error: expect.stringContaining(`It goes on from where it was with:   nightstill run ${plan}`) as string,
    });
    expect(descendantsOf(first.pid)).toEqual([]);

    const proof = await terminal.run('run', plan, '--json', '--prove');
    expect({ status: proof.status, error: proof.standardError }).toMatchObject({ status: 0 });
    const events = eventsOf(proof);
    expect(events[0]).toMatchObject({ type: 'started', run: eventsOf(left)[0]?.['run'], joined: true });
    const told = events.at(-1) as unknown as Proof;
    expect(told).toMatchObject({ type: 'proof', equal: true });
    expect(told.kills.map(({ node }) => node)).toEqual(expect.arrayContaining(['teacher', 'distilled']));
    for (const { step, of, resumedFrom = 0 } of told.kills) {
      expect(step).toBeGreaterThanOrEqual(of / 2);
      expect(resumedFrom).toBeGreaterThanOrEqual(1);
      expect(resumedFrom).toBeLessThanOrEqual(step);
    }
    expect(told.kills.filter(({ step, resumedFrom = step }) => step > resumedFrom)).not.toEqual([]);
    expect(told.models.map(({ model }) => model)).toContain('distilled.model');
    for (const { undisturbed, killed } of told.models) expect(killed).toBe(undisturbed);
  });

  it('is reused as a whole when it is run again, and its student is exported', async () => {
    const again = await terminal.run('run', plan, '--json');
    const { run } = eventsOf(again)[0] as { run: string };
    const nodes = (eventsOf(again).at(-1) as { result: { nodes: Record<string, { reused: boolean }> } }).result.nodes;
    expect(Object.values(nodes).map(({ reused }) => reused)).toEqual(Object.keys(nodes).map(() => true));

    const dev = terminal.start('dev');
    await dev.says('nightstill is ready');
    const { status, standardOutput } = await terminal.run('export', run, 'student');
    expect({ status, standardOutput }).toMatchObject({
      status: 0,
      standardOutput: expect.stringContaining('the model of distilled'),
    });
    expect(readdirSync(join(directory, 'student')).sort()).toEqual([
      'config.json',
      'model.safetensors',
      'tokenizer.json',
      'tokenizer_config.json',
    ]);
    expect((await terminal.run('export', run, 'student')).standardError).toMatch(/^output-exists: /m);
    dev.signal('SIGTERM');
    expect((await dev.ended).status).toBe(0);
    await until('nobody who serves', () => !existsSync(join(directory, '.nightstill', 'serving.json')));

    // The server is gone, the store tells all the same.
    const offline = await terminal.run('export', run, 'once-more');
    expect(offline.standardOutput).toBe(standardOutput.replaceAll('student:', 'once-more:'));
    expect((await terminal.run('explain', run, 'teacher')).standardOutput).toContain('teacher: ');
  });
});

import type { NodeView, RunEvent } from '../../../client/index.js';
import { drawQuestion } from '../../../cli/decide.js';
import { drawRun } from '../../../cli/view/draw-run.js';
import { paint, piece, textOf } from '../../../cli/view/line.js';
import { advance, startOfRun, type ShownRun } from '../../../cli/view/run-view.js';
import { Sentences } from '../../../cli/view/sentences.js';

const node = (id: string, needs: readonly string[], changes: Partial<NodeView> = {}): NodeView => ({
  id,
  uses: 'fine-tune',
  needs,
  queue: 'nightstill-gpu',
  status: 'waiting',
  ...changes,
});

const training = (done: number, attempt = 1): NonNullable<NodeView['activity']> => ({
  state: 'working',
  attempt,
  progress: { phase: 'train', facts: { done, of: 400, unit: 'steps', loss: 1.8321, tokensPerSecond: 1240.4 } },
});

const follow = (events: readonly (readonly [RunEvent, number])[]): ShownRun =>
  events.reduce((shown, [event, atMs]) => advance(shown, event, atMs), startOfRun('night-1', 0));

const lines = (shown: ShownRun, nowMs: number, height = 40): string[] => drawRun(shown, { nowMs, height }).map(textOf);

const nodes = [
  node('questions', [], { uses: 'import', status: 'reused', why: 'recorded by run night-0' }),
  node('teacher', ['questions'], { status: 'running' }),
  node('student', ['questions'], { status: 'done', startedAtMs: 1000, endedAtMs: 13_000 }),
  node('distilled', ['questions', 'teacher', 'student'], { uses: 'distill' }),
];
const plan: RunEvent = { type: 'plan', plan: 'night', nodes };
const progress = (done: number, attempt?: number): RunEvent => ({
  type: 'progress',
  node: 'teacher',
  activity: training(done, attempt),
});

const approval: NonNullable<NodeView['approval']> = {
  node: 'promote',
  candidate: `sha256:${'c'.repeat(64)}`,
  verdict: `sha256:${'e'.repeat(64)}`,
  name: 'night',
  alias: 'champion',
  champion: null,
  reasons: ['pass: exact-match: 0.7 [0.65, 0.75] is at least 0.6'],
  scores: [{ scorer: 'exact-match', items: 500, value: 0.7, interval: { lower: 0.65, upper: 0.75, level: 0.95 } }],
  untilMs: Date.parse('2026-11-28T03:00:00Z'),
};

describe('a run that waits for a person', () => {
  const waiting = node('promote', [], { uses: 'promote', status: 'awaiting-approval', approval });
  const event: RunEvent = { type: 'plan', plan: 'night', nodes: [waiting] };
  const command = 'nightstill approve night-1 --node promote';

  it('says on which student, for how long, and with which command, on a terminal and in sentences', () => {
    const shown = follow([[event, 0]]);
    const text = lines(shown, approval.untilMs - 2 * 3600 * 1000).join('\n');
    expect(text).toContain('? promote  promote  waits for approval of cccccccccccc, 2 h 00 min left');
    expect(text).toContain(`decide with \`${command}\``);
    expect(new Sentences(0).of({ type: 'node', node: waiting }, shown, 0)).toBe(
      `promote: waits for approval of ${approval.candidate} until 2026-11-28T03:00:00.000Z: ${command}`,
    );
  });

  it('shows candidate, champion, scores with intervals, and what the gate said', () => {
    const text = drawQuestion(approval, approval.untilMs - 90_000);
    for (const part of [approval.candidate, approval.verdict, 'champion   none', '0.650 – 0.750', '1 min 30 s left'])
      expect(text).toContain(part);
    expect(text).toContain(approval.reasons[0]);
  });
});

describe('a run on a terminal', () => {
  it('is a tree in which every node hangs from the deepest of its needs, with what is known of each', () => {
    const shown = follow([
      [plan, 0],
      [progress(100), 10_000],
      [progress(200), 20_000],
    ]);
    expect(lines(shown, 20_000)).toEqual([
      '  night  run night-1  20 s',
      '',
      '  ✓ questions        import     reused  recorded by run night-0',
      '  ├─ ◐ teacher       fine-tune  ━━━━━━━━━━──────────  200 of 400 steps  1,240 tokens/s  loss 1.832  20 s left',
      '  │  └─ ○ distilled  distill    after questions, teacher, student',
      '  └─ ✓ student       fine-tune  ran 12 s',
      '',
    ]);
  });

  it('measures the pace anew when an attempt begins behind the one before', () => {
    const shown = follow([
      [plan, 0],
      [progress(200), 10_000],
      [progress(100, 2), 20_000],
    ]);
    const [line] = lines(shown, 20_000).filter((text) => text.includes('teacher  '));
    expect(line).toContain('100 of 400 steps');
    expect(line).toContain('attempt 2');
    expect(line).not.toContain('left');
  });

  it('says what keeps it from going on, and what helps', () => {
    const queue = 'nightstill-gpu';
    const missing: RunEvent = { type: 'no-worker', queue, command: 'nightstill worker --role gpu', nodes: ['teacher'] };
    const stuck = follow([
      [plan, 0],
      [missing, 1],
      [{ type: 'reconnecting', failure: { code: 'temporal-unavailable', message: 'no answer' } }, 2],
    ]);
    expect(lines(stuck, 3).slice(-2)).toEqual([
      '  the Temporal server does not answer, and is asked again: no answer',
      '  no worker serves nightstill-gpu: start one with `nightstill worker --role gpu`',
    ]);
    const found = [{ type: 'reconnected' }, { type: 'worker-found', queue }] as const;
    expect(
      lines(
        found.reduce((shown, event) => advance(shown, event, 4), stuck),
        5,
      ).at(-1),
    ).toBe('');
  });

  it('tells why it failed, attempt by attempt', () => {
    const lastFailure = { code: 'child-died', message: 'found its end by signal SIGKILL\nlast lines' };
    const activity = { state: 'backing-off', attempt: 2, nextAttemptAtMs: 9000, lastFailure } as const;
    const waits = follow([
      [plan, 0],
      [{ type: 'progress', node: 'teacher', activity }, 1],
    ]);
    expect(lines(waits, 5000).join('\n')).toContain(
      'attempt 2 in 4.0 s  after child-died: found its end by signal SIGKILL\n',
    );
    const failure = { code: 'training-diverged', message: 'step 3' };
    const failed = advance(
      waits,
      { type: 'node', node: node('teacher', ['questions'], { status: 'failed', why: 'training-diverged: step 3' }) },
      6000,
    );
    const over = advance(failed, { type: 'end', status: 'failed', failure }, 7000);
    const text = lines(over, 99_000);
    expect(text[0]).toBe('  night  run night-1  failed  7.0 s');
    expect(text.join('\n')).toMatch(/✗ teacher +fine-tune {2}training-diverged: step 3/);
  });

  it('keeps to the height of the terminal: what works is shown, what waits or has ended is counted', () => {
    const many = Array.from({ length: 50 }, (_, index) =>
      node(`node-${index}`, [], { status: index < 20 ? 'reused' : 'waiting' }),
    );
    const working = node('at-work', [], { status: 'running' });
    const shown = follow([[{ type: 'plan', plan: 'night', nodes: [...many, working] }, 0]]);
    const text = lines(shown, 0, 12);
    expect(text.length).toBeLessThanOrEqual(12);
    expect(text.join('\n')).toContain('at-work');
    expect(text.join('\n')).toMatch(/… and 45 more: 20 ended, 25 waiting/);
  });

  it('is cut to the width, never wrapped, and coloured only when that is wanted', () => {
    const line = [piece('good', 'good'), piece(' and much more')];
    expect(paint(line, 10, false)).toBe('good and …');
    expect(paint(line, 10, true)).toBe('\u001b[32mgood\u001b[0m and …');
    expect(paint(line, 18, false)).toBe('good and much more');
  });
});

describe('a run where there is no terminal', () => {
  const say = (events: readonly (readonly [RunEvent, number])[]): (string | undefined)[] => {
    const sentences = new Sentences(10_000);
    let shown = startOfRun('night-1', 0);
    return events.map(([event, atMs]) => {
      shown = advance(shown, event, atMs);
      return sentences.of(event, shown, atMs);
    });
  };

  it('is told in sentences: changes at once, progress rarely', () => {
    const done = node('teacher', ['questions'], { status: 'done', startedAtMs: 0, endedAtMs: 42_000 });
    expect(
      say([
        [plan, 0],
        [progress(1), 1000],
        [progress(5), 2000],
        [progress(105), 12_000],
        [progress(80, 2), 13_000],
        [{ type: 'node', node: done }, 42_000],
        [{ type: 'end', status: 'completed' }, 43_000],
      ]),
    ).toEqual([
      'run night-1: night, 4 nodes',
      'teacher: train, 1 of 400 steps, 1,240 tokens/s, loss 1.832',
      undefined,
      'teacher: train, 105 of 400 steps, 1,240 tokens/s, loss 1.832, 31 s left',
      'teacher: attempt 2 after a failure, train, 80 of 400 steps, 1,240 tokens/s, loss 1.832',
      'teacher: done in 42 s',
      'run night-1: completed',
    ]);
  });
});

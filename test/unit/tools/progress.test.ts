import { PassThrough } from 'node:stream';
import { createReporter, formatBytes } from '../../../tools/progress.js';

function record(terminal: boolean) {
  const output = Object.assign(new PassThrough(), { isTTY: terminal });
  return { reporter: createReporter(output), text: () => String(output.read() ?? '') };
}

describe('progress', () => {
  it('is plain lines where there is no terminal', () => {
    const { reporter, text } = record(false);
    const step = reporter.step('fetching');
    step.update({ bytes: 1_000_000, totalBytes: 4_000_000 });
    step.end();
    expect(text()).toMatch(/^fetching …\nfetching {2}\[█{6}·{18}\] {2}1\.0 MB of 4\.0 MB {2}\d+\.\d s\n$/);
  });

  it('is a bar drawn over itself on a terminal', () => {
    const { reporter, text } = record(true);
    const step = reporter.step('fetching');
    step.update({ bytes: 4_000_000, totalBytes: 4_000_000, note: 'unpacking' });
    step.end();
    const [eraseLine, line] = text().split('fetching');
    expect(eraseLine).toBe('\r\u001b[2K');
    expect(line).toMatch(/^ {2}\[█{24}\] {2}4\.0 MB of 4\.0 MB {2}unpacking {2}\d+\.\d s\n$/);
  });

  it('gives sizes in decimal units', () => {
    expect([999, 1_234_567, 1_096_372_272].map(formatBytes)).toEqual(['1 kB', '1.2 MB', '1.10 GB']);
  });
});

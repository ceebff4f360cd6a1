/**
 * How set-up speaks. The library only calls a reporter; what reaches a screen is decided here: on a terminal one bar that
 * is drawn over itself, elsewhere (CI, a pipe) plain lines, at most one every 20 seconds for a step that goes on.
 */
import { formatDuration } from '../config/format-duration.js';

interface StepProgress {
  /** Bytes done so far. */
  readonly bytes?: number;
  readonly totalBytes?: number;
  /** What happens right now, a few words. */
  readonly note?: string;
}

export interface Step {
  update(progress: StepProgress): void;
  end(): void;
}

export interface Reporter {
  line(text: string): void;
  /** Begins a step that takes time; it must be ended. */
  step(label: string): Step;
}

/** Says nothing: for callers that only want the outcome. */
export const silentReporter: Reporter = { line: () => {}, step: () => ({ update: () => {}, end: () => {} }) };

const redrawEveryMs = 200;
const plainLineEveryMs = 20_000;
const barWidth = 24;

/** Writes to a terminal or to anything that takes lines, for example `process.stderr`. */
export function createReporter(output: NodeJS.WritableStream & { readonly isTTY?: boolean }): Reporter {
  const terminal = output.isTTY === true;
  return {
    line: (text) => void output.write(terminal ? `\r\u001b[2K${text}\n` : `${text}\n`),
    step: (label) => startStep(output, terminal, label),
  };
}

function startStep(output: NodeJS.WritableStream, terminal: boolean, label: string): Step {
  const startedAt = performance.now();
  let latest: StepProgress = {};
  const describe = () => describeStep(label, latest, (performance.now() - startedAt) / 1000);
  const timer = setInterval(
    () => void output.write(terminal ? `\r\u001b[2K${describe()}` : `${describe()}\n`),
    terminal ? redrawEveryMs : plainLineEveryMs,
  );
  timer.unref();
  if (!terminal) output.write(`${label} …\n`);
  return {
    update: (progress) => {
      latest = { ...latest, ...progress };
    },
    end: () => {
      clearInterval(timer);
      output.write(terminal ? `\r\u001b[2K${describe()}\n` : `${describe()}\n`);
    },
  };
}

function describeStep(label: string, { bytes, totalBytes, note }: StepProgress, seconds: number): string {
  const words = [label];
  if (bytes !== undefined && totalBytes !== undefined) words.push(drawBar(bytes / totalBytes));
  if (bytes !== undefined) {
    words.push(totalBytes === undefined ? formatBytes(bytes) : `${formatBytes(bytes)} of ${formatBytes(totalBytes)}`);
  }
  if (note !== undefined) words.push(note);
  words.push(formatDuration(seconds * 1000));
  return words.join('  ');
}

function drawBar(fraction: number): string {
  const filled = Math.round(Math.min(1, Math.max(0, fraction)) * barWidth);
  return `[${'█'.repeat(filled)}${'·'.repeat(barWidth - filled)}]`;
}

/** 1,234,567 → "1.2 MB". Decimal units, as disks and wheels are sold. */
export function formatBytes(bytes: number): string {
  if (bytes < 1_000_000) return `${Math.ceil(bytes / 1000)} kB`;
  return bytes < 1_000_000_000 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`;
}

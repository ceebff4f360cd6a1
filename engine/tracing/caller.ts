/** Which line of the user's function is running: for errors raised deep inside tfjs. */
import { dirname, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const engineDirectory = `${dirname(dirname(fileURLToPath(import.meta.url)))}${sep}`;

/** Parts of the engine that run on behalf of a traced function; models and losses of the engine are functions like any. */
const machinery = ['tracing', 'kernels', 'kernel-table', 'compile', 'tf.'];

function isInside(frame: string): boolean {
  // Under source maps TensorFlow.js names its own sources.
  if (/[\\/]node_modules[\\/](?:@tensorflow|tslib)[\\/]|\btfjs-[a-z-]+[\\/]src[\\/]|\(?node:/.test(frame)) return true;
  const file = frame.includes('file://') ? decodeURI(frame) : frame;
  const at = file.indexOf(engineDirectory);
  const path = at < 0 ? '' : file.slice(at + engineDirectory.length);
  return machinery.some((part) => path.startsWith(part));
}

/** `name (file:line:column)` of the innermost caller outside TensorFlow.js and the tracer. */
export function callerLine(): string {
  const depth = Error.stackTraceLimit;
  Error.stackTraceLimit = 100;
  const stack = new Error().stack ?? '';
  Error.stackTraceLimit = depth;
  const frames = stack
    .split('\n')
    .filter((line) => /^\s+at /.test(line))
    .map((line) => line.trim().replace(/^at /, ''));
  return frames.find((frame) => !isInside(frame) && !frame.includes('<anonymous>')) ?? 'an unknown line';
}

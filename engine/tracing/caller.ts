/** Which line of the user's function is running: for errors raised deep inside tfjs. */

const inside = [
  /node_modules[\\/]@tensorflow[\\/]/,
  /[\\/]engine[\\/]tracing[\\/]/,
  /[\\/]engine[\\/]kernel/,
  /^node:/,
];

/** `name (file:line:column)` of the innermost caller outside TensorFlow.js and the tracer. */
export function callerLine(): string {
  const depth = Error.stackTraceLimit;
  Error.stackTraceLimit = 100;
  const stack = new Error().stack ?? '';
  Error.stackTraceLimit = depth;
  const frames = stack
    .split('\n')
    .slice(1)
    .map((line) => line.trim().replace(/^at /, ''));
  return frames.find((frame) => !inside.some((pattern) => pattern.test(frame))) ?? 'an unknown line';
}

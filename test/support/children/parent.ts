/** A process that supervises a child which never ends, and prints the child's phase: to be killed. */
import { superviseChild } from '../../../activities/child.js';

const [, , entry = '', job = ''] = process.argv;

void superviseChild({
  entry,
  job,
  silenceLimitsMs: { start: 60_000 },
  answer: () => Promise.resolve(null),
  onProgress: ({ phase }) => console.log(`child in phase ${phase}`),
  signal: new AbortController().signal,
});

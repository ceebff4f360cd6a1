/** A process that supervises a child which never ends, and prints the child's phase: to be killed. Its job comes as JSON. */
import { superviseChild } from '../../../activities/child.js';
import type { Json } from '../../../config/json.js';

const [, , entry = '', job = ''] = process.argv;

void superviseChild({
  entry,
  job: JSON.parse(job) as Json,
  silenceLimitsMs: { start: 60_000 },
  answer: () => Promise.resolve(null),
  onProgress: ({ phase }) => console.log(`child in phase ${phase}`),
  signal: new AbortController().signal,
});

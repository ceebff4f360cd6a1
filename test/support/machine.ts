/** The machine that a result was measured on, in a line. */
import { cpus, totalmem } from 'node:os';

export function describeMachine(): string {
  const gibibytes = Math.round(totalmem() / 2 ** 30);
  return `${cpus().length} × ${cpus()[0]?.model.trim() ?? 'unknown'}, ${gibibytes} GiB, Node ${process.versions.node}`;
}

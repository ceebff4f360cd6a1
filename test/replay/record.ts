/**
 * `npm run record-histories`: takes every path through workflow code against a real Temporal server and keeps the histories.
 * `npm run record-histories -- cancel reset` records only those. What is recorded names no machine: workers have fixed
 * identities, files lie in one fixed place, and stack traces are left out, which a replay does not look at.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { packageRoot } from '../../tools/package-root.js';
import { SmallNight } from '../support/small-night.js';
import { recordingDirectory, type Path } from './path.js';
import { paths } from './paths.js';

const histories = join(packageRoot(), 'test/replay/histories');

async function record(night: SmallNight, name: string, { take }: Path): Promise<void> {
  const store = pathToFileURL(join(recordingDirectory, name)).href;
  await take({ night, store, runId: name });
  const history = await night.client.workflow.getHandle(name).fetchHistory();
  const text = historyToJSON(history).replaceAll(/("stackTrace": *)"(?:[^"\\]|\\.)*"/g, '$1""');
  refuseTraces(name, text);
  writeFileSync(join(histories, `${name}.json`), `${text}\n`);
  process.stdout.write(`${name}: ${history.events?.length} events\n`);
}

/** Nothing of this machine may stand in a recording. */
function refuseTraces(name: string, text: string): void {
  const decoded = [...text.matchAll(/"data": *"([A-Za-z0-9+/=]*)"/g)].map(([, data = '']) =>
    Buffer.from(data, 'base64').toString(),
  );
  const traces = [hostname(), packageRoot(), userInfo().homedir].filter((trace) => trace.length > 3);
  for (const trace of traces)
    if ([text, ...decoded].some((part) => part.includes(trace)))
      throw new Error(`${name}: expected a recording that names no machine, found "${trace}"`);
}

const named = process.argv.slice(2);
const chosen = Object.entries(paths).filter(([name]) => named.length === 0 || named.includes(name));
rmSync(recordingDirectory, { recursive: true, force: true });
mkdirSync(histories, { recursive: true });
const night = await SmallNight.begin();
try {
  await Promise.all([night.addWorker('io'), night.addWorker('orchestrator')]);
  for (const [name, path] of chosen) await record(night, name, path);
} finally {
  await night.end();
  rmSync(recordingDirectory, { recursive: true, force: true });
}

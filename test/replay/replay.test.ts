/**
 * Recorded histories of every path through workflow code, replayed: a change of that code that would break a run in flight
 * fails here. `npm run record-histories` records them anew, which is right only as long as nothing was released.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js';
import {
  bundleWorkflowCode,
  DefaultLogger,
  makeTelemetryFilterString,
  Runtime,
  Worker,
  type ReplayWorkerOptions,
} from '@temporalio/worker';
import { paths } from './paths.js';

const folder = join(import.meta.dirname, 'histories');
const textOf = (name: string): string => readFileSync(join(folder, `${name}.json`), 'utf8');
const historyOf = (name: string, text = textOf(name)) => ({
  workflowId: name,
  history: historyFromJSON(JSON.parse(text)),
});

let options: ReplayWorkerOptions;

beforeAll(async () => {
  const logger = new DefaultLogger('ERROR', () => undefined);
  const logging = { filter: makeTelemetryFilterString({ core: 'ERROR' }) };
  Runtime.install({ logger, telemetryOptions: { logging } });
  const workflowsPath = join(import.meta.dirname, '../../workflows/index.ts');
  options = { workflowBundle: await bundleWorkflowCode({ workflowsPath, logger }) };
});

/** What replays of these histories fail with. */
async function failuresOf(histories: ReturnType<typeof historyOf>[]): Promise<Record<string, unknown>> {
  const failures: Record<string, unknown> = {};
  for await (const { workflowId, error } of Worker.runReplayHistories(options, histories))
    if (error) failures[workflowId] = error.message;
  return failures;
}

describe('the recordings', () => {
  it('are one for each path, and none for a path that is not listed', () => {
    const recorded = readdirSync(folder).map((file) => file.replace(/\.json$/, ''));
    expect(recorded.toSorted()).toEqual(Object.keys(paths).toSorted());
  });

  it.each(Object.entries(paths))('of %s took its path', (name, { ends, holds }) => {
    const types = [...textOf(name).matchAll(/"eventType": *"EVENT_TYPE_([A-Z_]+)"/g)].map(([, type]) => type);
    expect(types.at(-1)).toBe(`WORKFLOW_EXECUTION_${ends}`);
    expect(types).toEqual(holds === undefined ? expect.any(Array) : expect.arrayContaining([holds]));
  });

  it('are of runs that reused everything, or nothing', () => {
    expect(textOf('happy')).toMatch(/"name": *"nightstill.note"/);
    expect(textOf('cache-hit')).not.toMatch(/"name": *"nightstill.note"/);
  });

  it('name no machine and hold no stack', () => {
    for (const name of Object.keys(paths)) {
      const text = textOf(name);
      const identities = [...text.matchAll(/"identity": *"([^"]*)"/g)].map(([, identity = '']) => identity);
      expect(
        new Set(identities.filter((identity) => !/^(nightstill-[a-z]+|history-service|)$/.test(identity))),
      ).toEqual(new Set());
      expect(text).not.toMatch(/"stackTrace": *"[^"]/);
    }
  });
});

describe('workflow code', () => {
  it('replays every recording', async () => {
    expect(await failuresOf(Object.keys(paths).map((name) => historyOf(name)))).toEqual({});
  });

  it('would be caught if it did something else than it did then', async () => {
    const happy = textOf('happy');
    const elsewhere = happy.replaceAll('"nightstill.note"', '"nightstill.import"');
    expect(elsewhere).not.toBe(happy);
    expect(await failuresOf([historyOf('happy', elsewhere)])).toEqual({
      happy: expect.stringMatching(/nondeterminism/i),
    });
  });
});

/** The Temporal server and workers of a run: those that are there, or else ones of this command's own. */
import type { Client } from '@temporalio/client';
import type { Variables } from '../config/environment.js';
import { queueHealth } from '../config/queue-health.js';
import { sightQueue } from '../config/queue-sighting.js';
import { queueName } from '../config/queues.js';
import { defaultAddress, findTemporal, openClient, type OpenClient, type TemporalPlace } from './connect.js';
import { LocalStack } from './dev/local-stack.js';
import { provideLocalParts } from './dev/parts.js';
import { StateDirectory } from './dev/state-directory.js';
import { answers } from './dev/temporal-process.js';
import type { TensorflowNeed } from './plan/tensorflow-need.js';

export interface ServersRequest {
  readonly alone: boolean;
  readonly profile: string | undefined;
  /** Path of a module. */
  readonly dataConverter: string | undefined;
  readonly queuePrefix: string;
  readonly workerFlags: readonly string[];
  readonly variables: Variables;
  readonly tensorflow: TensorflowNeed;
  readonly say: (line: string) => void;
}

export interface Servers {
  readonly client: Client;
  /** Servers and workers that end with this command. */
  readonly embedded: LocalStack | undefined;
  /** In order. */
  close(): Promise<void>;
  /** At once. */
  kill(): Promise<void>;
}

/** @throws temporal-unavailable, setup-part-failed, numerics-unavailable, dev-running, dev-start-failed */
export async function findServers(request: ServersRequest): Promise<Servers> {
  const { say } = request;
  if (request.alone) return startServers(request);
  const place = await findTemporal(request.profile);
  if (place.from === 'default' && !(await isServedByDefault(place, request.queuePrefix))) return startServers(request);
  const open = await openClient(place.settings, request.dataConverter);
  say(`Temporal at ${open.address}, namespace ${open.namespace}${whence(place)}`);
  const queue = queueName('orchestrator', request.queuePrefix);
  if (!(await isPolled(open, queue)))
    say(`no worker polls ${queue}: start one with \`nightstill worker\`; the run waits until then`);
  const close = (): Promise<void> => open.close();
  return { client: open.client, embedded: undefined, close, kill: close };
}

function whence({ note }: TemporalPlace): string {
  if (note === undefined) return '';
  return note.verb === 'dev'
    ? ', of `nightstill dev` here'
    : ', of another `nightstill run` here: it ends with that one';
}

async function startServers(request: ServersRequest) {
  const { queuePrefix, workerFlags, variables, tensorflow, dataConverter, say } = request;
  const { temporalBinary } = await provideLocalParts(variables, tensorflow);
  const state = new StateDirectory(process.cwd());
  say('starting a Temporal server and workers for this run …');
  const embedded = await LocalStack.start({
    state,
    verb: 'run',
    temporalBinary,
    queuePrefix,
    workerFlags,
    variables,
    onRestart: (name, end) => say(`${name} ended (${end}): started again`),
  });
  const open = await openClient(
    { connectionOptions: { address: embedded.note.address }, namespace: 'default' },
    dataConverter,
  );
  say(`Temporal at ${open.address}, its interface at ${embedded.note.userInterface}`);
  return {
    client: open.client,
    embedded,
    close: async () => {
      await open.close();
      await embedded.stop();
    },
    kill: () => embedded.kill(),
  };
}

/** A server at Temporal's default address counts when workers of ours poll it: it may be somebody else's. */
async function isServedByDefault({ settings }: TemporalPlace, queuePrefix: string): Promise<boolean> {
  if (!(await answers(defaultAddress, settings.namespace))) return false;
  const open = await openClient(settings, undefined);
  try {
    return await isPolled(open, queueName('orchestrator', queuePrefix));
  } finally {
    await open.close();
  }
}

async function isPolled({ client, namespace }: OpenClient, queue: string): Promise<boolean> {
  return queueHealth(await sightQueue(client.workflowService, namespace, queue), Date.now()).served;
}

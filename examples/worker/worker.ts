/**
 * A worker of your own, for an application that has one already, with its own connection, workflows and activities. It does all
 * that a plan needs in one process; on several machines each starts the roles that it is made for.
 */
import { fileURLToPath } from 'node:url';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { DistillationPlugin } from 'nightstill';
import { programs } from 'nightstill/workers';
import { deduplicate } from '../own-stage/deduplicate.js';

// Once in a process, before anything connects. Whoever watches a run learns within ten seconds that this worker was killed.
Runtime.install({ workerHeartbeatInterval: '2s' });
const { connectionOptions, namespace = 'default' } = loadClientConnectConfig();
const connection = await NativeConnection.connect(connectionOptions);
const workflowsPath = fileURLToPath(new URL('./workflows.js', import.meta.url));
const workers = (['orchestrator', 'io', 'gpu'] as const).map((role) => {
  const plugin = new DistillationPlugin({ role, programs, stages: [deduplicate] });
  const workflows = role === 'orchestrator' ? { workflowsPath } : {};
  return Worker.create({ connection, namespace, taskQueue: plugin.taskQueue, plugins: [plugin], ...workflows });
});
await Promise.all((await Promise.all(workers)).map((worker) => worker.run()));
await connection.close();

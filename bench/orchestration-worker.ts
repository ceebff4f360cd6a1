/** A worker for the plain workflow, or for its activity: two processes, as ours are. `orchestration-worker.js workflows|activities` */
import { fileURLToPath } from 'node:url';
import { NativeConnection, Worker } from '@temporalio/worker';

const connection = await NativeConnection.connect({ address: process.env['TEMPORAL_ADDRESS'] ?? '' });
const worker = await Worker.create({
  connection,
  ...(process.argv[2] === 'workflows'
    ? {
        taskQueue: 'plain',
        workflowsPath: fileURLToPath(new URL('./orchestration-workflow.js', import.meta.url)),
      }
    : { taskQueue: 'plain-activities', activities: { nothing: (number: number) => Promise.resolve(number) } }),
});
console.log('worker ready');
await worker.run();
await connection.close();

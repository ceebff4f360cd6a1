/** An io worker whose plugin is given to its connection instead: the SDK hands it on. */
import { NativeConnection, Worker } from '@temporalio/worker';
import { deduplicate } from '../../../examples/own-stage/deduplicate.js';
import { DistillationPlugin } from '../../../plugins/index.js';
import { programs } from '../../../workers/programs.js';

const plugin = new DistillationPlugin({ role: 'io', programs, stages: [deduplicate] });
const connection = await NativeConnection.connect({
  address: process.env['TEMPORAL_ADDRESS'] ?? '',
  plugins: [plugin],
});
const worker = await Worker.create({ connection, taskQueue: plugin.taskQueue });
await worker.run();
await connection.close();

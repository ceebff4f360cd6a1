/**
 * Starts a run from an application of your own: a Temporal client, the plan as data, one call. Imports a JSONL dataset into
 * a store; started again with the same file it finds the result without reading a row.
 *
 *   node dist/examples/import/start.js <absolute path of a JSONL file> <store URL>
 */
import { Client, Connection } from '@temporalio/client';
import { loadClientConnectConfig } from '@temporalio/envconfig';
import { start } from '../../client/index.js';

const [dataset = '', store = ''] = process.argv.slice(2);

const { connectionOptions, namespace = 'default' } = loadClientConnectConfig();
const connection = await Connection.connect(connectionOptions);
try {
  const run = await start({
    client: new Client({ connection, namespace }),
    runId: `import-example-${Date.now()}`,
    file: { name: 'import-example', store, stages: [{ id: 'questions', uses: 'import', with: { dataset } }] },
  });
  const { nodes } = await run.result();
  console.log(JSON.stringify(nodes['questions'], null, 2));
} finally {
  await connection.close();
}

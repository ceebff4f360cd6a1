import { Client, Connection } from '@temporalio/client';
import { RunHandle, start } from '../../../client/index.js';
import { freePort } from '../../support/free-port.js';

describe('a client without a Temporal server', () => {
  it('says so with a code, whatever is asked of it', async () => {
    // No interceptors: the client's own would try again for a quarter of a minute.
    const connection = Connection.lazy({ address: `127.0.0.1:${await freePort()}`, interceptors: [] });
    const client = new Client({ connection });
    const handle = new RunHandle(client, 'run-1');
    for (const ask of [
      () => handle.result(),
      () => handle.state(),
      () => handle.cancel(),
      () => start({ client, file: {} }),
    ]) {
      await expect(ask()).rejects.toMatchObject({ code: 'temporal-unavailable', retryable: true });
    }
    await connection.close();
  });
});

import { startProgram } from '../../support/processes.js';
import { freePort } from '../../support/temporal-server.js';

describe('a worker without a Temporal server', () => {
  it('ends and says where it looked and what to do', async () => {
    const address = `127.0.0.1:${await freePort()}`;
    const start = startProgram('workers/io.js', [], { TEMPORAL_ADDRESS: address }, 'worker ready');
    await expect(start).rejects.toThrow(`temporal-unavailable: expected a Temporal server at ${address}, found none.`);
  });
});

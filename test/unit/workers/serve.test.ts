import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startProgram } from '../../support/processes.js';
import { freePort } from '../../support/free-port.js';
import { temporaryDirectory } from '../../support/temporary.js';

describe('a worker without a Temporal server', () => {
  it('ends and says where it looked and what to do', async () => {
    const address = `127.0.0.1:${await freePort()}`;
    const start = startProgram('workers/io.js', [], { TEMPORAL_ADDRESS: address }, 'worker ready');
    await expect(start).rejects.toThrow(
      `temporal-unavailable: expected a Temporal server at ${address}, found none: it refuses the connection`,
    );
  });

  it.each(['localhost:', ':7233', 'http://localhost:7233', 'localhost:99999', '::1:7233', 'some where:7233'])(
    'ends with a code when its address is none: %s',
    async (address) => {
      const start = startProgram('workers/io.js', [], { TEMPORAL_ADDRESS: address }, 'worker ready');
      await expect(start).rejects.toThrow(
        'environment-invalid: TEMPORAL_* variables and profile: expected settings that can be read, found: an address that is not host:port',
      );
    },
  );

  it('ends with a code when its settings cannot be read, and repeats nothing of their file', async () => {
    const settings = join(temporaryDirectory(), 'temporal.toml');
    writeFileSync(settings, '[profile.default]\napi_key = secret"\n');
    const start = startProgram('workers/io.js', [], { TEMPORAL_CONFIG_FILE: settings }, 'worker ready');
    const said = await start.then(() => '').catch(String);
    expect(said).toContain('environment-invalid: TEMPORAL_* variables and profile: ');
    expect(said).not.toContain('secret');
  });
});

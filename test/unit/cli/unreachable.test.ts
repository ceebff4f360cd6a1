import { once } from 'node:events';
import { createServer } from 'node:net';
import { freePort } from '../../support/free-port.js';
import { nightstill } from '../../support/nightstill.js';
import { temporaryDirectory } from '../../support/temporary.js';

const saidOf = async (address: string) => {
  const variables = { PATH: temporaryDirectory(), TEMPORAL_ADDRESS: address };
  const said = await Promise.all([['status'], ['watch', 'x']].map((words) => nightstill(words, variables)));
  return said.map(({ status, standardError }) => [status, standardError.split('\n')[0]]);
};

const bothSay = (address: string, why: string) => [
  [1, `temporal-unavailable: expected the runs of a Temporal server at ${address} within 10 s, found none: ${why}`],
  [1, `temporal-unavailable: expected a Temporal server at ${address} that answers within 10 s, found none: ${why}`],
];

it('a verb whose Temporal server is not reached says why', async () => {
  const silent = createServer();
  await once(silent.listen(0, '127.0.0.1'), 'listening');
  const known = silent.address();
  const cases = {
    [`127.0.0.1:${await freePort()}`]: 'it refuses the connection',
    'nowhere.invalid:7233': 'its name is not resolved',
    [`127.0.0.1:${typeof known === 'object' ? known?.port : ''}`]: 'no answer in time',
  };
  await Promise.all(
    Object.entries(cases).map(async ([address, why]) => expect(await saidOf(address)).toEqual(bothSay(address, why))),
  );
  silent.close();
});

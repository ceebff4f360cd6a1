import { once } from 'node:events';
import { createServer } from 'node:net';
import { freePort } from '../../support/free-port.js';
import { nightstill } from '../../support/nightstill.js';
import { temporaryDirectory } from '../../support/temporary.js';

const saidOf = async (address: string, verbs: readonly string[]) => {
  const variables = { PATH: temporaryDirectory(), TEMPORAL_ADDRESS: address };
  const said = await Promise.all(verbs.map((words) => nightstill(words.split(' '), variables)));
  return said.map(({ status, standardError }) => [status, standardError.split('\n')[0]]);
};

const bothSay = (address: string, why: string) => [
  [1, `temporal-unavailable: expected the runs of a Temporal server at ${address}, found none: ${why}`],
  [1, `temporal-unavailable: expected a Temporal server at ${address} that answers within 10 s, found none: ${why}`],
];

/** A server that takes connections and says nothing. */
const silent = createServer();
let silentAddress: string;
beforeAll(async () => {
  await once(silent.listen(0, '127.0.0.1'), 'listening');
  const known = silent.address();
  silentAddress = `127.0.0.1:${typeof known === 'object' ? known?.port : ''}`;
});
afterAll(() => void silent.close());

it('a verb whose Temporal server is not reached says which, and why', async () => {
  const cases = {
    [`127.0.0.1:${await freePort()}`]: 'it refuses the connection',
    'nowhere.invalid:7233': 'its name is not resolved',
    [silentAddress]: 'no answer in time',
  };
  await Promise.all(
    Object.entries(cases).map(async ([address, why]) =>
      expect(await saidOf(address, ['status', 'watch x'])).toEqual(bothSay(address, why)),
    ),
  );
});

it('so does a verb that could do without it, and finds no record of the run', async () => {
  const why = `expected run x of a Temporal server at ${silentAddress}, found none: no answer in time`;
  const verbs = ['status x', 'explain x', 'report x', 'export x new'];
  const said = await saidOf(silentAddress, verbs);
  expect(said).toEqual(verbs.map(() => [1, `temporal-unavailable: ${why}`]));
});

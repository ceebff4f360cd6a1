import { Client, Connection } from '@temporalio/client';
import { start } from '../../../client/index.js';

it('a start for a day that the plan does not ask for is refused before any server is asked', async () => {
  const client = new Client({ connection: Connection.lazy() });
  const file = { name: 'night', teacher: '/t', student: '/s', dataset: '/rows.jsonl' };
  await expect(start({ client, file, scheduledDate: '2026-11-27' })).rejects.toMatchObject({
    code: 'plan-invalid',
    message: expect.stringMatching(/^scheduledDate: expected a plan that is another one each day/) as string,
  });
});

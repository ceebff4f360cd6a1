import { Client, Connection } from '@temporalio/client';
import { isActivityOpen } from '../../../activities/open-activities.js';
import { freePort } from '../../support/free-port.js';

describe('the question whether an activity is open', () => {
  it('has no answer, and no wrong one, while Temporal is away', async () => {
    const connection = Connection.lazy({ address: `127.0.0.1:${await freePort()}` });
    const client = new Client({ connection });
    const asked = connection.withDeadline(Date.now() + 500, () =>
      isActivityOpen(client, { workflowId: 'w', runId: 'r', activityId: 'import', attempt: 1 }),
    );
    await expect(asked).rejects.toMatchObject({ code: 'temporal-unavailable' });
    await connection.close();
  });
});

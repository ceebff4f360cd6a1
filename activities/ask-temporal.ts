/** Questions to Temporal whose answer a run can do without. */
import { Context } from '@temporalio/activity';

const patienceMs = 5000;

/** Null where no answer came: older servers lack some calls, and others do not allow them. */
export async function askTemporal<Answer>(question: () => Promise<Answer>): Promise<Answer | null> {
  const { client, log } = Context.current();
  try {
    return await client.connection.withDeadline(Date.now() + patienceMs, question);
  } catch (error) {
    log.debug('Temporal did not answer a question that the run can do without', { error });
    return null;
  }
}

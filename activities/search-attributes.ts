/** Asks Temporal whether its namespace has the search attributes of runs: setting one that it lacks would fail a workflow task. */
import { Context } from '@temporalio/activity';
import { searchAttributeNames } from '../config/run-messages.js';
import { askTemporal } from './ask-temporal.js';

const keyword = 2;

/** False also where the server does not say, as Temporal Cloud does not. */
export async function hasSearchAttributes(): Promise<boolean> {
  const found = await askTemporal(async () => {
    const { connection, options } = Context.current().client;
    const { customAttributes } = await connection.operatorService.listSearchAttributes({
      namespace: options.namespace,
    });
    return Object.values(searchAttributeNames).every((name) => customAttributes[name] === keyword);
  });
  return found ?? false;
}

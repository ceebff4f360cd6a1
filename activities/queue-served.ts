/** Asks Temporal whether a worker serves a queue, so that a run says so where nobody does. */
import { Context } from '@temporalio/activity';
import { queueHealth } from '../config/queue-health.js';
import { sightQueue } from '../config/queue-sighting.js';
import { askTemporal } from './ask-temporal.js';

/** Null where Temporal could not say. */
export const isQueueServed = (queue: string): Promise<boolean | null> =>
  askTemporal(async () => {
    const { workflowService, options } = Context.current().client;
    return queueHealth(await sightQueue(workflowService, options.namespace, queue), Date.now()).served;
  });

/** What a run answers and hears, by name. Pure: workflows may import it. */

/** Query: the live state of the run. */
export const stateQueryName = 'state';

/** Signal, with the names of those queues of the plan that no worker serves. Sent when they have become others. */
export const unservedQueuesSignalName = 'nightstill.unservedQueues';

/** Updates, with an `ApprovalAnswer`: each answers with the `ApprovalDecision` that it was taken for. */
export const approveUpdateName = 'approve';
export const rejectUpdateName = 'reject';

/** Search attributes (Keyword) that a run keeps when the namespace has both. Temporal never encrypts their values. */
export const searchAttributeNames = { plan: 'NightstillPlan', status: 'NightstillStatus' } as const;

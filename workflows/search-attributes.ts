/** Plan and status of a run as search attributes, where the namespace has them: an unregistered one would fail the task. */
import { defineSearchAttributeKey } from '@temporalio/common';
import { upsertSearchAttributes } from '@temporalio/workflow';
import { searchAttributeNames } from '../config/run-messages.js';

const planKey = defineSearchAttributeKey(searchAttributeNames.plan, 'KEYWORD');
const statusKey = defineSearchAttributeKey(searchAttributeNames.status, 'KEYWORD');

export type RunStatus = 'running' | 'completed' | 'failed' | 'cancelled';

export const publishStatus = (plan: string, status: RunStatus): void =>
  upsertSearchAttributes([
    { key: planKey, value: plan },
    { key: statusKey, value: status },
  ]);

/** What our runs are compared with: a workflow that calls plain activities one after another. */
import { proxyActivities } from '@temporalio/workflow';

const { nothing } = proxyActivities<{ nothing: (number: number) => Promise<number> }>({
  startToCloseTimeout: '1m',
  taskQueue: 'plain-activities',
});

export async function plain(activities: number): Promise<void> {
  for (let number = 0; number < activities; number += 1) await nothing(number);
}

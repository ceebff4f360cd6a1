/** Light activities run on the queue of the workflow itself. A store may be away for ten minutes before the run fails of it. */
import type { ActivityOptions } from '@temporalio/common';

export const lightOptions = {
  startToCloseTimeout: '30s',
  retry: { initialInterval: '1s', backoffCoefficient: 3, maximumInterval: '1m', maximumAttempts: 15 },
} satisfies ActivityOptions;

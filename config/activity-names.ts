/** Names under which the activities of every plan are registered. A stage's own activity is named by its kind. Pure. */
export const activityNames = {
  resolvePlan: 'nightstill.resolvePlan',
  openRun: 'nightstill.openRun',
  askApproval: 'nightstill.askApproval',
  lookup: 'nightstill.lookup',
  watchQueues: 'nightstill.watchQueues',
  closeRun: 'nightstill.closeRun',
} as const;

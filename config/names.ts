/** What plans, nodes, stage kinds and schedules may be called: it stands in file names, object keys and Temporal ids. */
export const namePattern = /^[a-z0-9][a-z0-9._-]{0,62}$/;

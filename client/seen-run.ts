/** What Temporal knows of a run that is told of from the store: how its nodes stand, and which store its plan names. */
import type { Client } from '@temporalio/client';
import { RunReader } from './run-reader.js';
import type { NodeView } from './run-view.js';

export interface SeenRun {
  readonly nodes: readonly NodeView[];
  readonly store?: string;
}

/** Temporal may have forgotten the run, which matters only where it is `needed`, since it alone can name the store. */
export async function seenRun(client: Client, runId: string, needed: boolean): Promise<SeenRun | undefined> {
  const reader = new RunReader({ client, runId });
  try {
    const { nodes } = await reader.look();
    const { file } = reader.history;
    const store = typeof file === 'object' && file !== null && 'store' in file ? file.store : undefined;
    return { nodes, ...(typeof store === 'string' && { store }) };
  } catch (error) {
    if (needed) throw error;
    return undefined;
  }
}

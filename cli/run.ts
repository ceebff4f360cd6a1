/** `nightstill run`: starts a plan and shows it until it is over. */
import { defaultQueuePrefix } from '../config/queues.js';
import { commonExits, defineCommand } from './command.js';
import { connectionFlags } from './connection-flags.js';
import { workerFlags, workerFlagWords } from './worker-flags.js';

export const runCommand = defineCommand({
  name: 'run',
  group: 'runs',
  summary: 'run a plan and show it live',
  about: `Starts a run of the plan and shows it until it is over. A run of the same plan that is going on is joined.

It uses the Temporal server that TEMPORAL_* variables or the profile name, or \`nightstill dev\` of this directory, or a
server at 127.0.0.1:7233 that workers of nightstill poll. Where there is none, it starts what \`nightstill dev\` starts for
the time of the run; a plan that computes with TensorFlow is refused then where this machine cannot have it. Paths in the
plan are relative to its file; a plan that names no store uses the one of NIGHTSTILL_STORE, or else .nightstill/store in
the current directory.

Ctrl-C leaves the run going where workers are elsewhere. Workers that this command has started end with it; their stages
make their work durable first, and the same command goes on from there. A second Ctrl-C does not wait for them.`,
  words: [{ name: 'plan', offers: 'plan' }],
  flags: {
    'run-id': { value: 'id', summary: 'of the run; default: made from the name of the plan and the time' },
    date: { value: 'day', summary: 'that {{scheduledDate}} stands for: 2026-11-27' },
    dev: { summary: 'start a server and workers here, whatever else there is' },
    prove: {
      summary:
        'on workers of its own, run the plan once more into an empty store, kill each training once with SIGKILL ' +
        'in its middle, and compare the digests of the models',
    },
    json: { summary: 'one JSON event a line; the last one is the result' },
    ...connectionFlags,
    ...workerFlags,
  },
  exits: { 0: 'completed', ...commonExits, 3: 'the run failed or was cancelled', 130: 'left before it was over' },
  run: async ({ flags, words: [path = ''], variables }) => {
    const { runPlan } = await import('./run-plan.js');
    return runPlan({
      path,
      runId: flags['run-id'],
      date: flags.date,
      alone: flags.dev || flags.prove,
      prove: flags.prove,
      json: flags.json,
      profile: flags.profile,
      dataConverter: flags['data-converter'],
      queuePrefix: flags['queue-prefix'] ?? defaultQueuePrefix,
      stages: flags.stages,
      scorers: flags.scorers,
      workerFlags: workerFlagWords(flags),
      variables,
    });
  },
});

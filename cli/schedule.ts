/** `nightstill schedule`: plans that run every night. */
import { commonExits, defineCommand, exitStatus, UsageError } from './command.js';
import { workerFlags } from './worker-flags.js';
import { connectionFlags } from './connection-flags.js';

const acts = ['upsert', 'list', 'pause', 'resume', 'trigger', 'remove'] as const;
export type ScheduleAct = (typeof acts)[number];

export const scheduleCommand = defineCommand({
  name: 'schedule',
  group: 'runs',
  summary: 'run a plan every night: make, list, pause, trigger or remove its schedule',
  about: `upsert   makes the schedule of a plan, or brings it up to the file, and says what changed; a paused one stays paused
list     which schedules there are, when they are due, and which nights there were; with a name, that one
pause    starts no night until it is resumed; a night that goes on is left alone
resume   starts nights again, as after a night that failed: that pauses a schedule
trigger  starts a night at once, also of a paused schedule, unless one goes on
remove   removes the schedule; what its nights have made stays

When is said by the section \`schedule\` of the plan: cron or calendar, timeZone, jitter, catchUp. Temporal stores the content of
the file: a changed file counts once it is upserted.`,
  words: [
    { name: acts.join(' | '), offers: acts },
    { name: 'plan or name', optional: true, offers: 'plan' },
  ],
  flags: {
    reason: { value: 'text', summary: 'pause, resume: why, shown with the schedule' },
    json: { summary: 'as JSON' },
    ...connectionFlags,
    ...workerFlags,
  },
  exits: { 0: 'done, or listed', ...commonExits },
  run: async ({ flags, words: [act, subject], variables }) => {
    if (!isAct(act)) throw new UsageError(`expected ${acts.join(', ')}, found "${act ?? ''}"`);
    if (subject === '' || (subject === undefined && act !== 'list'))
      throw new UsageError(`expected "schedule ${act} <${act === 'upsert' ? 'plan' : 'name'}>", found none`);
    const { changeSchedule, listedSchedules } = await import('./change-schedule.js');
    const request = { flags, variables };
    const text = subject === undefined ? await listedSchedules(request) : await changeSchedule(act, subject, request);
    process.stdout.write(`${text}\n`);
    return exitStatus.ok;
  },
});

const isAct = (word: string | undefined): word is ScheduleAct => acts.some((act) => act === word);

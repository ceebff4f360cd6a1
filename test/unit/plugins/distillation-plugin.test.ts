import { DistillationPlugin } from '../../../plugins/index.js';

const io = new DistillationPlugin({ role: 'io', queuePrefix: 'night' });
const orchestrator = new DistillationPlugin({ role: 'orchestrator' });

const activitiesOf = (plugin: DistillationPlugin, existing?: object): string[] =>
  Object.keys(
    plugin.configureWorker({ taskQueue: 'q', ...(existing ? { activities: existing } : {}) }).activities ?? {},
  );

describe('the plugin', () => {
  it('registers the activities of its role, under names of its own', () => {
    expect(activitiesOf(io)).toEqual(expect.arrayContaining(['nightstill.import', 'nightstill.fine-tune']));
    expect(activitiesOf(orchestrator)).toEqual([
      'nightstill.resolvePlan',
      'nightstill.openRun',
      'nightstill.lookup',
      'nightstill.closeRun',
    ]);
  });

  it('names the queue of its role', () => {
    expect([io.taskQueue, orchestrator.taskQueue]).toEqual(['night-io', 'nightstill-orchestrator']);
  });

  it("keeps the user's activities, also where names clash", () => {
    const mine = { greet: () => 'hello', 'nightstill.import': () => 'mine' };
    const { activities } = io.configureWorker({ taskQueue: 'q', activities: mine });
    expect(activities).toEqual(mine);
  });

  it("sets no workflows, no converter and no interceptor of its own, and keeps the user's", () => {
    const { workflowsPath, workflowBundle } = io.configureWorker({ taskQueue: 'q' });
    expect([workflowsPath, workflowBundle]).toEqual([undefined, undefined]);
    const payloadCodecs = [
      { encode: async (payloads: never[]) => payloads, decode: async (payloads: never[]) => payloads },
    ];
    const configured = io.configureWorker({
      taskQueue: 'q',
      workflowsPath: '/mine.js',
      dataConverter: { payloadCodecs },
    });
    expect(configured).toMatchObject({ workflowsPath: '/mine.js', dataConverter: { payloadCodecs } });
  });
});

import { z } from 'zod';
import type { ChildPrograms, Stage } from '../../../plugins/index.js';
import {
  defineStage,
  DistillationPlugin,
  EvaluationPlugin,
  ImportPlugin,
  PlanPlugin,
  PromotionPlugin,
  StagesPlugin,
  TrainingPlugin,
} from '../../../plugins/index.js';
import { trainingWork } from '../../../plugins/training-work.js';

const programs: ChildPrograms = {
  importer: { entry: '/importer.js' },
  trainer: { entry: '/trainer.js' },
  answerer: { entry: '/answerer.js' },
  capturer: { entry: '/capturer.js' },
  asker: { entry: '/asker.js' },
  evaluator: { entry: '/evaluator.js' },
};
const run = () => Promise.reject(new Error('not run here'));

const count = defineStage({ kind: 'count', version: 1, outputs: { count: 'count' }, run });
const either = defineStage({
  kind: 'either',
  version: 1,
  options: z.strictObject({ large: z.boolean().default(false) }),
  outputs: { count: 'count' },
  queue: ({ large }) => (large ? 'gpu' : 'io'),
  run,
});
const stages = [count, either];

const io = new DistillationPlugin({ role: 'io', queuePrefix: 'night', programs, stages });
const gpu = new DistillationPlugin({ role: 'gpu', programs, stages });
const orchestrator = new DistillationPlugin({ role: 'orchestrator', stages });

const light = [
  'nightstill.resolvePlan',
  'nightstill.openRun',
  'nightstill.lookup',
  'nightstill.askApproval',
  'nightstill.watchQueues',
  'nightstill.closeRun',
];
const importing = ['import', 'import-model', 'canary', 'answer', 'capture-endpoint'].map(
  (kind) => `nightstill.${kind}`,
);
const training = ['nightstill.fine-tune', 'nightstill.capture', 'nightstill.distill'];
const evaluating = ['nightstill.evaluate'];
const promoting = ['nightstill.gate', 'nightstill.promote'];

const activitiesOf = (plugin: DistillationPlugin | StagesPlugin): string[] =>
  Object.keys(plugin.configureWorker({ taskQueue: 'q' }).activities ?? {});

describe('the plugin', () => {
  it.each<[string, DistillationPlugin, string[]]>([
    ['an orchestrator: the light activities', orchestrator, light],
    ['an io worker: what moves bytes', io, [...importing, ...promoting, 'nightstill.count', 'nightstill.either']],
    ['a gpu worker: what computes', gpu, ['nightstill.answer', ...training, ...evaluating, 'nightstill.either']],
  ])('registers on %s; a kind that chooses by its options on both', (_, plugin, activities) => {
    expect(activitiesOf(plugin)).toEqual(activities);
  });

  it('names the queue of its role', () => {
    expect([io.taskQueue, orchestrator.taskQueue]).toEqual(['night-io', 'nightstill-orchestrator']);
  });

  it("keeps the user's activities, also where names clash", () => {
    const mine = { greet: () => 'hello', 'nightstill.import': () => 'mine' };
    const { activities } = io.configureWorker({ taskQueue: 'q', activities: mine });
    expect(activities).toMatchObject(mine);
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

  it('gives a gpu worker one stage at a time, unless its user says otherwise', () => {
    const slots = (plugin: DistillationPlugin, options = {}) =>
      plugin.configureWorker({ taskQueue: 'q', ...options }).maxConcurrentActivityTaskExecutions;
    expect([slots(gpu), slots(io), slots(orchestrator)]).toEqual([1, undefined, undefined]);
    expect(slots(gpu, { maxConcurrentActivityTaskExecutions: 3 })).toBe(3);
    expect(slots(gpu, { maxConcurrentActivityTaskExecutions: undefined })).toBe(1);
    expect(slots(gpu, { tuner: { tunerOptions: { targetMemoryUsage: 0.5, targetCpuUsage: 0.5 } } })).toBeUndefined();
  });

  it('lets a stage hear of a cancel within ten seconds, unless its user says otherwise', () => {
    const throttle = (plugin: DistillationPlugin, options = {}) =>
      plugin.configureWorker({ taskQueue: 'q', ...options }).maxHeartbeatThrottleInterval;
    expect([throttle(gpu), throttle(io), throttle(orchestrator)]).toEqual(['10s', '10s', undefined]);
    expect(throttle(gpu, { maxHeartbeatThrottleInterval: undefined })).toBe('10s');
    expect(throttle(io, { maxHeartbeatThrottleInterval: '30s' })).toBe('30s');
  });

  it('leaves a connection, a client and a bundle that it is given to as they are', () => {
    expect(io.configureNativeConnection({ address: 'a:1', apiKey: 'key' })).toEqual({ address: 'a:1', apiKey: 'key' });
    const converter = { payloadCodecs: [] };
    expect(io.configureClient({ namespace: 'n', dataConverter: converter })).toMatchObject({
      namespace: 'n',
      dataConverter: converter,
    });
    expect(io.configureBundler({ workflowsPath: '/mine.js' })).toMatchObject({ workflowsPath: '/mine.js' });
  });
});

describe('a plugin of one capability', () => {
  it.each<[string, string, StagesPlugin, string[]]>([
    ['the light activities', 'nightstill-orchestrator', new PlanPlugin({ stages }), light],
    ['importing', 'nightstill-io', new ImportPlugin({ programs }), importing],
    ['training', 'nightstill-gpu', new TrainingPlugin({ programs }), ['nightstill.answer', ...training]],
    ['evaluating', 'nightstill-gpu', new EvaluationPlugin({ programs }), evaluating],
    ['promoting', 'nightstill-io', new PromotionPlugin(), promoting],
    ["a user's stages", 'nightstill-gpu', new StagesPlugin({ role: 'gpu', stages }), ['nightstill.either']],
  ])('registers %s on %s, and nothing else', (_, taskQueue, plugin, activities) => {
    expect([plugin.taskQueue, activitiesOf(plugin)]).toEqual([taskQueue, activities]);
  });

  it('is composed with others on one worker', () => {
    const first = new ImportPlugin({ programs }).configureWorker({ taskQueue: 'q' });
    const both = new StagesPlugin({ role: 'io', stages }).configureWorker(first);
    expect(Object.keys(both.activities ?? {}).toSorted()).toEqual(
      [...importing, 'nightstill.count', 'nightstill.either'].toSorted(),
    );
  });
});

describe('stages that are none', () => {
  it.each<[string, unknown[], string]>([
    ['a value', [count, 5], 'stages[1]: expected a stage, found a value of type number'],
    ['a module', [{ stages }], 'stages[0]: expected a stage, found a value of type object'],
    ['a kind twice', [count, count], 'stages[1]: expected a kind of its own, found a second "count"'],
    [
      'a kind that is built in',
      [{ ...count, kind: { ...count.kind, kind: 'import' } }],
      'stages[0]: expected a kind of its own, found a second "import"',
    ],
  ])('%s: refused when the plugin is made', (_, listed, message) => {
    const make = () => new DistillationPlugin({ role: 'orchestrator', stages: listed as Stage[] });
    expect(make).toThrow(expect.objectContaining({ code: 'stages-invalid', message }));
  });

  const myTraining = { kind: 'my-training', version: 1, outputs: { model: 'model' }, program: 'trainer' } as const;

  it('a program without a limit for the silence in one of its phases does not compile, nor one with a misspelt phase', () => {
    const { train, ...others } = trainingWork.silenceLimitsMs;
    // @ts-expect-error -- a step would be ended as silent
    const without = defineStage({ ...myTraining, silenceLimitsMs: others });
    // @ts-expect-error -- the same
    const misspelt = defineStage({ ...myTraining, silenceLimitsMs: { ...others, trian: train } });
    expect([without, misspelt].map(({ kind }) => kind.kind)).toEqual(['my-training', 'my-training']);
  });

  it('a stage whose program is not given is refused when the plugin is made', () => {
    const mine = defineStage({ ...myTraining, silenceLimitsMs: trainingWork.silenceLimitsMs });
    const make = () => new StagesPlugin({ role: 'io', stages: [mine] });
    expect(make).toThrow(
      expect.objectContaining({ code: 'stages-invalid', message: expect.stringContaining('"trainer"') }),
    );
  });
});

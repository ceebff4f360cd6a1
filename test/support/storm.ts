/**
 * Runs of a small plan in which processes are killed, one after another, each with work in flight, and what has become of
 * them: the digests of everything that was made, how often results were recorded, which processes are left. A kill counts only
 * when something was in flight: a stage was at work there by Temporal's account, with the request that names the moment open,
 * and another attempt was needed afterwards unless what died was a server, whose return an attempt waits for.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { RunHandle, type RunResult } from '../../client/index.js';
import { queueName, roles, type Role } from '../../config/queues.js';
import { lookupResult, openObjectStore } from '../../storage/index.js';
import { HoldingProxy } from './holding-proxy.js';
import type { KillOrder, ProcessKind } from './kill-orders.js';
import { NightFiles } from './night-files.js';
import { Night } from './night.js';
import { countRecords, type RecordCounts } from './record-counts.js';
import type { PendingActivity } from './run-view.js';
import { commandLineOf, descendantsOf, isAlive, until, type RunningProcess } from './processes.js';
import { S3Server } from './s3-server.js';
import { SlowProxy } from './slow-proxy.js';
import type { Pipeline, StormPlace } from './storm-pipeline.js';
import { Strikes, type Held, type StageKeys } from './strikes.js';

export interface Kill extends KillOrder {
  readonly attempt: number;
  /** Of the stage's last durable checkpoint. */
  readonly step: number;
  readonly inFlight: boolean;
}

/** What a run must have in common with an undisturbed one. */
export interface Outcome {
  /** `stage.output` → digest. */
  readonly digests: Readonly<Record<string, string>>;
  readonly records: RecordCounts;
  /** How often the activity of each stage was completed. */
  readonly completions: Readonly<Record<string, number>>;
  /** Processes that were left when it had ended. */
  readonly orphans: number;
}

export interface Undisturbed {
  readonly outcome: Outcome;
  readonly stageKeys: StageKeys;
  readonly seconds: number;
}

export interface StormRun {
  readonly kills: readonly Kill[];
  readonly outcome: Outcome;
  readonly seconds: number;
}

type Standing = Pick<PendingActivity, 'started' | 'attempt' | 'durableStep'>;

/** With this, reading takes about 10 s: long enough for its checkpoints. */
const slowBytesPerSecond = 32 * 1024;
const unlimited = 1_000_000_000;
const momentComesWithinMs = 240_000;
const childGoesWithinMs = 5000;
const serverIsAwayMs = 300;

export class Storm {
  /** Awaited right before a kill, while its moment is held. */
  onKill: (store: string, order: KillOrder) => Promise<void> = () => Promise.resolve();
  readonly #workers = new Map<Role, RunningProcess>();

  private constructor(
    readonly night: Night,
    readonly s3: S3Server,
    readonly store: HoldingProxy,
    readonly source: SlowProxy,
    readonly files: NightFiles,
    readonly pipeline: Pipeline,
  ) {}

  static async begin(prepare: (place: StormPlace) => Promise<Pipeline>): Promise<Storm> {
    const files = await NightFiles.create();
    const s3 = await S3Server.start();
    const night = await Night.begin(s3.environment);
    const store = await HoldingProxy.start(s3.endpoint);
    const source = await SlowProxy.start(s3.endpoint, unlimited);
    const storm = new Storm(night, s3, store, source, files, await prepare({ s3, source, files }));
    await Promise.all(roles.map((role) => storm.addWorker(role)));
    return storm;
  }

  /** Nothing is held or slow any more. */
  calm(): void {
    this.store.releaseAll();
    this.pipeline.teacher?.release();
    this.source.bytesPerSecond = unlimited;
  }

  async end(): Promise<void> {
    this.calm();
    await this.night.end();
    this.store.stop();
    await this.source.stop();
    await this.s3.stop();
    await this.pipeline.teacher?.kill();
    await this.files.remove();
  }

  worker(role: Role): RunningProcess {
    const worker = this.#workers.get(role);
    if (worker !== undefined) return worker;
    throw new Error(`expected a worker of role ${role}`);
  }

  /** The worker of its role from now on; another one that there is lives on. */
  async addWorker(role: Role): Promise<void> {
    this.#workers.set(role, await this.night.addWorker(role));
  }

  /** The store of a run, past the proxy. */
  storeOf(name: string): string {
    return this.s3.url(`stores/${name}`);
  }

  /** Starts the plan, in a store of the run's own unless another is named. */
  start(runId: string, store = runId, numerics: { readonly threads?: number } = {}): Promise<RunHandle> {
    const url = this.s3.url(`stores/${store}`, this.store.endpoint);
    return this.night.start(runId, this.pipeline.plan({ store: url, ...numerics }));
  }

  handle(runId: string): RunHandle {
    return new RunHandle(this.night.client, runId);
  }

  /** Under which fence a stage was finished: how many processes have claimed it. */
  async fenceOf(store: string, stage: string, { stageKeys }: Pick<Undisturbed, 'stageKeys'>): Promise<number> {
    const opened = await openObjectStore(this.storeOf(store));
    try {
      return (await lookupResult(opened, stageKeys[stage] ?? ''))?.fence ?? 0;
    } finally {
      await opened.close();
    }
  }

  async undisturbed(): Promise<Undisturbed> {
    const startedAtMs = performance.now();
    const runId = 'undisturbed';
    const result = await (await this.start(runId)).result();
    const seconds = (performance.now() - startedAtMs) / 1000;
    const keys = Object.entries(result.nodes).map(([id, { stageKey }]) => [id, stageKey]);
    return { outcome: await this.outcomeOf(runId, result), stageKeys: Object.fromEntries(keys) as StageKeys, seconds };
  }

  /** Starts the plan and kills what is ordered, in that order; the orders of one stage follow its life. */
  async run(
    runId: string,
    orders: readonly KillOrder[],
    { stageKeys }: Pick<Undisturbed, 'stageKeys'>,
  ): Promise<StormRun> {
    const startedAtMs = performance.now();
    const strikes = new Strikes(this.store, this.pipeline.teacher, runId, orders, stageKeys);
    if (orders.some(isSlowed)) this.source.bytesPerSecond = slowBytesPerSecond;
    const handle = await this.start(runId);
    const kills: Kill[] = [];
    for (const order of orders) {
      if (!isSlowed(order)) this.source.bytesPerSecond = unlimited;
      kills.push(await this.#strike(runId, order, strikes));
    }
    this.source.bytesPerSecond = unlimited;
    const result = await handle.result();
    const outcome = await this.outcomeOf(runId, result);
    const { attempts } = await this.night.historyOf(runId);
    const seconds = (performance.now() - startedAtMs) / 1000;
    return { kills: kills.map((kill) => confirmed(kill, attempts)), outcome, seconds };
  }

  /** @param runId of a run that has ended */
  async outcomeOf(runId: string, { nodes }: RunResult): Promise<Outcome> {
    const digests = Object.entries(nodes).flatMap(([id, { outputs }]) =>
      Object.entries(outputs).map(([name, { digest }]) => [`${id}.${name}`, digest]),
    );
    const { completions } = await this.night.historyOf(runId);
    const childrenLeft = await until('the end of every child', () => this.night.children().length === 0, 10_000).then(
      () => 0,
      () => this.night.children().length,
    );
    return {
      digests: Object.fromEntries(digests) as Record<string, string>,
      records: await countRecords(this.storeOf(runId)),
      completions: Object.fromEntries(this.pipeline.stages.map(({ id }) => [id, completions[id] ?? 0])),
      orphans: childrenLeft,
    };
  }

  async #strike(runId: string, order: KillOrder, strikes: Strikes): Promise<Kill> {
    const hold = strikes.holdOf(order.stage);
    const { started, attempt, durableStep } = await this.#atMoment(runId, order, hold);
    const inFlight = started && (order.moment === 'work' || hold?.holds === true);
    // The work of a stage goes on while a server is away: its next moment is waited for from now on.
    strikes.next(order.stage);
    if (inFlight) await this.onKill(this.storeOf(runId), order);
    if (inFlight) await this.#killers[order.process]();
    if (hold !== strikes.holdOf(order.stage)) hold?.release();
    else if (inFlight && order.process.endsWith('child'))
      await until('the end of its request', () => !hold?.holds, 5000, 10);
    return { ...order, attempt, step: durableStep, inFlight };
  }

  /** How the stage stands when its moment has come; not started, when it ended without. */
  #atMoment(runId: string, { stage, moment }: KillOrder, hold?: Held): Promise<Standing> {
    const activityId = moment === 'lookup' ? `${stage}:lookup` : stage;
    // Five deaths in a row without a step that Temporal has heard of would fail the stage: what was recorded by then is told first.
    const seals =
      moment === 'seal' && this.pipeline.stages.some(({ id, moments }) => id === stage && moments.includes('record'));
    const standing = async (): Promise<Standing | false> => {
      const pending = await this.night.pending(runId, activityId);
      const isAdvanced = (pending?.durableStep ?? 0) > 0;
      const hasCome = moment === 'work' ? isAdvanced : hold?.holds === true && (isAdvanced || !seals);
      if (pending !== undefined) return pending.started && hasCome && pending;
      const { completions } = await this.night.historyOf(runId);
      return completions[activityId] !== undefined && { started: false, attempt: 0, durableStep: 0 };
    };
    return until(`the moment "${moment}" of ${activityId}`, standing, momentComesWithinMs, 100);
  }

  readonly #killers: Record<ProcessKind, () => Promise<void>> = {
    'import child': () => this.#killChild('io', 'workers/import-child.js'),
    'trainer child': () => this.#killChild('gpu', 'workers/trainer.js'),
    'gpu worker': () => this.killWorker('gpu'),
    'io worker': () => this.killWorker('io'),
    'orchestrator worker': () => this.killWorker('orchestrator'),
    'Temporal server': async () => {
      await this.night.temporal.kill();
      await delay(serverIsAwayMs);
      await this.night.temporal.restart();
    },
    'S3 server': async () => {
      await this.s3.kill();
      await delay(serverIsAwayMs);
      await this.s3.restart();
    },
    'teacher server': async () => {
      await this.pipeline.teacher?.kill();
      await delay(serverIsAwayMs);
      await this.pipeline.teacher?.start();
    },
  };

  async #killChild(role: Role, program: string): Promise<void> {
    const child = descendantsOf(this.worker(role).pid).find((pid) => commandLineOf(pid).includes(program));
    if (child === undefined) throw new Error(`expected a process of ${program} under ${queueName(role)}`);
    process.kill(child, 'SIGKILL');
    await until('the end of the child', () => !isAlive(child), childGoesWithinMs);
  }

  /** It leaves no child behind, and another one takes its place. */
  async killWorker(role: Role): Promise<void> {
    const worker = this.worker(role);
    const children = descendantsOf(worker.pid);
    worker.signal('SIGKILL');
    await worker.exited;
    await until('the end of its children', () => !children.some(isAlive), childGoesWithinMs);
    await this.addWorker(role);
  }
}

/** Its work is long enough for checkpoints only when it is slowed down. */
const isSlowed = ({ stage }: KillOrder): boolean => stage === 'import';

/** Who loses its process needs another attempt; a server's work goes on. */
function confirmed(kill: Kill, attempts: Readonly<Record<string, number>>): Kill {
  if (kill.process.endsWith('server')) return kill;
  const last = attempts[kill.moment === 'lookup' ? `${kill.stage}:lookup` : kill.stage] ?? 0;
  return { ...kill, inFlight: kill.inFlight && last > kill.attempt };
}

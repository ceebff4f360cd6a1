/**
 * The rules of the house: which folders there are, what lives in each, and who may import whom. `check.ts` enforces this
 * table, and the picture in docs/architecture.md is drawn from it (`npm run docs`). A new top-level folder begins as a row
 * here. The table is data: how an import is read, resolved and judged is not its business.
 */

/** A permission to import: a whole room, or some of it. */
export interface Grant {
  readonly room: string;
  /** Only these files of the room; named so, an inner file may be imported past the index of its room. */
  readonly files?: readonly string[];
  /** Only files that reach no package and no Node built-in, however far one follows their imports. */
  readonly pure?: true;
  /** Only `import type`. */
  readonly types?: true;
}

export interface Room {
  readonly folder: string;
  readonly holds: string;
  readonly imports: readonly Grant[];
  /** The packages it may import, when not all; `node:` stands for the built-ins. A trailing `*` matches any ending. */
  readonly packages?: readonly string[];
  /** Not part of the product: nobody imports it, and it may do what the product may not. */
  readonly apart?: true;
}

/** Packages that only some paths of the product may import. */
export interface PackageRule {
  readonly packages: readonly string[];
  readonly only: readonly string[];
  readonly because: string;
}

export interface House {
  readonly rooms: readonly Room[];
  readonly packageRules: readonly PackageRule[];
  /** The only paths of the product that read the process environment. */
  readonly environmentReaders: readonly string[];
}

const whole = (...rooms: readonly string[]): Grant[] => rooms.map((room) => ({ room }));

const errors: readonly Grant[] = [
  { room: 'config', files: ['config/errors.ts'] },
  { room: 'config', files: ['config/failures.ts'], types: true },
];

const libraries = ['engine', 'storage', 'distillation', 'evaluation'];
const product = [
  'config',
  'workflows',
  'activities',
  'plugins',
  'workers',
  'client',
  'cli',
  ...libraries,
  'web',
  'tools',
];
const allBut = (...rooms: readonly string[]): Grant[] => whole(...product.filter((room) => !rooms.includes(room)));

const rooms: readonly Room[] = [
  {
    folder: 'config',
    holds: 'what a run may say: pure tables, schemas in files of their own, the base error, the environment; no index',
    imports: [],
  },
  {
    folder: 'workflows',
    holds: 'when things happen: deterministic, safe in the sandbox',
    imports: [
      { room: 'config', pure: true },
      { room: 'activities', types: true },
    ],
    packages: ['@temporalio/workflow', '@temporalio/common'],
  },
  {
    folder: 'activities',
    holds: 'how a stage touches the world: one thin file a stage; heartbeat, cancel, translate errors',
    imports: whole('config', ...libraries),
  },
  {
    folder: 'plugins',
    holds: 'the Temporal plugins: stage kinds with their activities and queues; what a user lists in `Worker.create`',
    imports: whole('activities', 'config'),
  },
  {
    folder: 'workers',
    holds: 'processes: the workers and the children that they start',
    imports: allBut('workers', 'client', 'cli', 'web'),
  },
  {
    folder: 'client',
    holds: 'what other applications import; no native code behind it',
    // An application that only starts and watches runs loads no store, and so no checks of records.
    imports: [
      ...whole('config', 'storage'),
      { room: 'storage', files: ['storage/canonical-json.ts', 'storage/digest.ts'] },
      // A report computes intervals: pure functions, with no tensors behind them.
      { room: 'evaluation', files: ['evaluation/report/index.ts'] },
    ],
    packages: ['@temporalio/client', '@temporalio/common', '@temporalio/envconfig', 'node:*'],
  },
  {
    folder: 'cli',
    holds: 'the same verbs in a terminal, thin',
    // What Temporal says to a verb that connects is told as the client tells it.
    imports: [...allBut('cli', 'workflows'), { room: 'client', files: ['client/run-error.ts'] }],
  },
  {
    folder: 'engine',
    holds: 'numbers: compiled tfjs functions, models, optimizer, generation, backends',
    imports: errors,
  },
  {
    folder: 'distillation',
    holds: 'teaching: teachers, response ledger, datasets, logit store, losses',
    imports: whole('engine', 'storage', 'config'),
  },
  {
    folder: 'evaluation',
    holds: 'measuring: scorers, statistics, gates, cost; is handed a `generate` function',
    // A light worker decides gates: it needs the random numbers of the engine and no tensors.
    imports: [...whole('engine', 'storage', 'config'), { room: 'engine', files: ['engine/training/random.ts'] }],
  },
  {
    folder: 'storage',
    holds: 'durable bytes: object store port, adapters, blobs, checkpoints, results, aliases, collection',
    imports: errors,
  },
  {
    folder: 'web',
    holds: 'the dashboard and the static report',
    imports: whole('client', 'storage', 'config'),
  },
  {
    folder: 'tools',
    holds: 'set-up of the real parts; compiled and shipped',
    imports: whole('config'),
  },
  {
    folder: 'docker',
    holds: 'image and compose file of the workers, and what asks for their health',
    imports: [...whole('config'), { room: 'workers', files: ['workers/temporal-settings.ts'] }],
    apart: true,
  },
  { folder: 'examples', holds: 'programs that use the package as its users do', imports: allBut(), apart: true },
  { folder: 'docs', holds: 'architecture, errors, decisions', imports: [], apart: true },
  {
    folder: 'bench',
    holds: 'speed against a peer in the same run',
    imports: whole(...product, 'examples', 'test'),
    apart: true,
  },
  {
    folder: 'test',
    holds: 'proofs, with real parts',
    imports: [
      ...whole(...product, 'examples'),
      // What a bench says of its measurements is held as well.
      { room: 'bench', files: ['bench/engine-groups.ts', 'bench/engine-rows.ts', 'bench/processor.ts'] },
      { room: 'bench', types: true },
    ],
    apart: true,
  },
];

const packageRules: readonly PackageRule[] = [
  {
    packages: ['@aws-sdk/*', '@smithy/*'],
    only: ['storage/s3.ts', 'storage/s3-*'],
    because: 'one adapter knows the AWS SDK; all others see the port',
  },
  { packages: ['@tensorflow/*'], only: ['engine/'], because: 'one room knows tensors; all others see byte arrays' },
  {
    packages: ['sql.js'],
    only: ['evaluation/sql/'],
    because: 'SQL that nobody vouches for runs in one place, on a thread of its own',
  },
  {
    packages: ['@temporalio/*'],
    only: ['workflows/', 'activities/', 'plugins/', 'workers/', 'client/', 'cli/'],
    because: 'the libraries, the configuration and set-up know nothing of Temporal',
  },
];

export const house: House = {
  rooms,
  packageRules,
  environmentReaders: ['config/environment.ts', 'workers/', 'cli/'],
};

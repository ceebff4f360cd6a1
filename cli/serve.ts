/** `nightstill serve`: a model behind an HTTP endpoint that clients of OpenAI's API know. */
import { availableParallelism } from 'node:os';
import { commonExits, defineCommand, exitStatus, UsageError } from './command.js';
import { defaultStore, storeFlag } from './default-store.js';
import { onInterrupt } from './interrupt.js';
import { engineRunners, type EngineRunner } from '../workers/model-server/engine-protocol.js';

export const serveCommand = defineCommand({
  name: 'serve',
  group: 'machines',
  summary: 'serve a model to clients of the OpenAI API, until Ctrl-C',
  about: `Answers /v1/chat/completions, /v1/completions and /v1/models with the model of a directory, or of an alias of the store
(name/alias; an alias that is not said is champion). The same request with the same seed gives the same tokens, whatever else
runs beside it. It listens on this machine alone unless --host says otherwise, and then only with an API key.`,
  words: [{ name: 'model', offers: 'directory' }],
  flags: {
    ...storeFlag,
    name: { value: 'name', summary: 'what requests call the model; default: that of the directory, or the alias' },
    host: { value: 'address', summary: 'to listen on; default 127.0.0.1' },
    port: { value: 'number', summary: 'default 8000; 0 for any that is free' },
    'api-key-file': { value: 'file', summary: 'that holds the key which requests must give', offers: 'file' },
    'api-key-env': { value: 'variable', summary: 'of the environment that holds this key, instead of a file' },
    slots: { value: 'number', summary: 'sequences at a time; default 4' },
    context: { value: 'tokens', summary: 'of prompt and answer together; default what the model can, up to 4096' },
    queue: { value: 'number', summary: 'sequences that may wait; default 64' },
    'max-body': { value: 'bytes', summary: 'of a request; default 4194304' },
    'time-limit': { value: 'seconds', summary: 'for a request; default 300' },
    'end-within': {
      value: 'seconds',
      summary: 'that requests may take to end when the server is asked to; default 30',
    },
    'idempotency-log': {
      value: 'directory',
      summary: 'where replies of requests with an Idempotency-Key are kept, so that each is computed once',
      offers: 'directory',
    },
    runner: {
      value: 'runner',
      summary: 'best (tensorflow where set up, else wasm), tensorflow, wasm',
      offers: engineRunners,
    },
    threads: { value: 'number', summary: 'of TensorFlow; default: cores of the machine' },
  },
  exits: { 0: 'ended in order', ...commonExits },
  run: async ({ flags, words: [model = ''], variables }) => {
    const { serveModel } = await import('../workers/model-server/serve-model.js');
    const stop = new AbortController();
    onInterrupt(() => {
      // Asked a second time, it ends at once.
      onInterrupt(() => process.exit(exitStatus.left));
      stop.abort();
    });
    const count = (name: 'slots' | 'max-body' | 'time-limit' | 'threads', otherwise: number): number =>
      wholeNumber(name, flags[name], 1) ?? otherwise;
    await serveModel({
      model,
      store: flags.store ?? defaultStore(variables),
      modelId: flags.name,
      host: flags.host ?? '127.0.0.1',
      port: wholeNumber('port', flags.port, 0) ?? 8000,
      key: { file: flags['api-key-file'], variable: flags['api-key-env'] },
      slots: count('slots', 4),
      context: wholeNumber('context', flags.context, 1),
      maximumQueue: wholeNumber('queue', flags.queue, 0) ?? 64,
      maximumBodyBytes: count('max-body', 4 * 1024 * 1024),
      timeLimitSeconds: count('time-limit', 300),
      endWithinSeconds: wholeNumber('end-within', flags['end-within'], 0) ?? 30,
      idempotencyLog: flags['idempotency-log'],
      runner: runnerOf(flags.runner),
      threads: count('threads', availableParallelism()),
      variables,
      stop: stop.signal,
      onReady: (line) => void process.stdout.write(`${line}\n`),
      onNotice: (line) => void process.stderr.write(`${line}\n`),
    });
    return exitStatus.ok;
  },
});

function wholeNumber(name: string, text: string | undefined, least: number): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,9}$/.test(text) && Number(text) >= least) return Number(text);
  throw new UsageError(`--${name}: expected a whole number of at least ${least}, found "${text}"`);
}

function runnerOf(text: string = 'best'): EngineRunner {
  const found = engineRunners.find((runner) => runner === text);
  if (found !== undefined) return found;
  throw new UsageError(`--runner: expected ${engineRunners.join(', ')}, found "${text}"`);
}

/**
 * `nightstill serve` from its flags to its end: finds the model, starts the process that computes and the HTTP server, and goes
 * on until it is asked to end, or the process that computes is gone.
 */
import type { AddressInfo } from 'node:net';
import { readEnvironment, type Variables } from '../../config/environment.js';
import { NightstillError } from '../../config/errors.js';
import { readGenerationConfig, readModelConfig, unheededSettings } from '../../engine/index.js';
import { join } from 'node:path';
import { checkExposure, readApiKey, type KeySource } from './api-key.js';
import type { EngineRunner } from './engine-protocol.js';
import { IdempotencyLog } from './idempotency-log.js';
import { startModelEngine } from './model-engine.js';
import { findModel, fingerprintOf, modelDigestOf } from './model-place.js';
import { ModelServer } from './model-server.js';
import { ModelText } from './model-text.js';

export interface ServeRequest {
  readonly model: string;
  readonly store: string;
  /** Default: the name of the directory, or the alias. */
  readonly modelId: string | undefined;
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  readonly key: KeySource;
  readonly slots: number;
  /** Tokens of prompt and answer together. Default: what the model can, up to `defaultContext`. */
  readonly context: number | undefined;
  readonly maximumQueue: number;
  readonly maximumBodyBytes: number;
  readonly timeLimitSeconds: number;
  readonly endWithinSeconds: number;
  /** Directory. */
  readonly idempotencyLog: string | undefined;
  readonly runner: EngineRunner;
  readonly threads: number;
  readonly variables: Variables;
  /** Aborted when the server is to end in order. */
  readonly stop: AbortSignal;
  readonly onReady: (line: string) => void;
  /** What whoever serves the model should know of it. */
  readonly onNotice: (line: string) => void;
}

const defaultContext = 4096;

/** @throws serve-setting-invalid, address-unavailable, idempotency-log-unusable, child-died, and what loading a model throws */
export async function serveModel(request: ServeRequest): Promise<void> {
  const { host, variables, idempotencyLog, maximumQueue, runner, threads, slots } = request;
  const apiKey = await readApiKey(request.key, variables);
  checkExposure(host, apiKey);
  const log = idempotencyLog === undefined ? undefined : await IdempotencyLog.open(idempotencyLog, maximumQueue);
  const { cacheDirectory } = readEnvironment(variables);
  const place = await findModel({ ...request, cacheDirectory });
  const capacity = await contextOf(place.directory, request.context);
  const text = await ModelText.open(place.directory);
  const job = { directory: place.directory, runner, threads, slots, capacity };
  const engine = await startModelEngine(job, variables);
  try {
    const modelId = request.modelId ?? place.modelId;
    const modelDigest = await modelDigestOf(place);
    const identity = { modelId, modelDigest, systemFingerprint: fingerprintOf(modelDigest, job, engine.facts) };
    const server = new ModelServer({ ...request, ...identity, engine, text, capacity, apiKey, log });
    const port = await listen(server, host, request.port);
    const address = host.includes(':') ? `[${host}]` : host;
    const unheeded = unheededSettings(await readGenerationConfig(join(place.directory, 'generation_config.json')));
    if (unheeded.length > 0)
      request.onNotice(`generation_config.json of ${modelId}: without effect here: ${unheeded.join(', ')}`);
    request.onReady(
      `${modelId} at http://${address}:${port}/v1 (${engine.facts.fingerprint.runner}, ${slots} slots of ${capacity} tokens)`,
    );
    const death = await Promise.race([engine.died, aborted(request.stop)]);
    await server.close(request.endWithinSeconds * 1000);
    if (death !== undefined) throw death;
  } finally {
    await engine.close();
  }
}

async function contextOf(directory: string, wanted: number | undefined): Promise<number> {
  const { maximumPositions } = await readModelConfig(join(directory, 'config.json'));
  const context = wanted ?? Math.min(defaultContext, maximumPositions);
  if (context <= maximumPositions) return context;
  throw new NightstillError(
    'serve-setting-invalid',
    `--context: expected at most ${maximumPositions} tokens, the positions of the model, found ${context}`,
  );
}

function listen({ http }: ModelServer, host: string, port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    http.once('error', (cause) =>
      reject(
        new NightstillError(
          'address-unavailable',
          `expected to listen on ${host} at port ${port}, found: ${cause.message}`,
          { cause },
        ),
      ),
    );
    http.listen(port, host, () => resolve((http.address() as AddressInfo).port));
  });
}

const aborted = (signal: AbortSignal): Promise<undefined> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });

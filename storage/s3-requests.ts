/**
 * One way to talk to S3: every request is repeated by the same rules and fails with the same errors. The SDK's own retries
 * are switched off, so that what is repeated, how often, and what that means for a condition can be read here.
 *
 * A repetition is not innocent. When a conditional write was applied and its answer got lost, the repetition meets its own
 * write and is refused with 412 (or 404): the caller sees `object-exists` or `object-changed` for a write that is there.
 * The callers in this folder therefore never take such a loss at its word; they read what is there and compare.
 */
import {
  S3Client,
  type $Command,
  type S3ClientConfig,
  type S3ClientResolvedConfig,
  type ServiceInputTypes,
  type ServiceOutputTypes,
} from '@aws-sdk/client-s3';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NightstillError } from '../config/errors.js';
import { allowManyListeners, refuseAborted } from './abort.js';
import { isRetryable, property, s3Error, type S3Operation } from './s3-errors.js';
import { formatS3Url, type S3Location } from './store-url.js';

export interface S3Limits {
  readonly connectTimeoutMs: number;
  /** A socket on which nothing moves for this long is given up. */
  readonly idleTimeoutMs: number;
  /** How often a request is sent at most. */
  readonly attempts: number;
  /** No repetition begins later than this after the first attempt, so that a store that hangs is given up in time. */
  readonly repeatWithinMs: number;
  /** The first pause before a repetition; doubled each time, cut at 5 s, and drawn at random up to that. */
  readonly backoffMs: number;
}

/** A server that accepts and never answers costs 90 s of repetitions and one more attempt: less than 3 minutes. */
const defaultLimits: S3Limits = {
  connectTimeoutMs: 5000,
  idleTimeoutMs: 60_000,
  attempts: 8,
  repeatWithinMs: 90_000,
  backoffMs: 100,
};
const longestBackoffMs = 5000;
const sockets = { keepAlive: true, maxSockets: 64 };

export interface S3Request extends Omit<S3Operation, 'store'> {
  readonly signal?: AbortSignal | undefined;
  /** HTTP headers for which the SDK has no field; they are signed. */
  readonly headers?: Readonly<Record<string, string>>;
}

export interface S3Answer<Output> {
  readonly output: Output;
  /** The server's clock, from the Date header: whole seconds. */
  readonly answeredAtMs: number;
  readonly attempts: number;
}

type S3Command<Input extends ServiceInputTypes, Output extends ServiceOutputTypes> = InstanceType<
  typeof $Command<Input, Output, S3ClientResolvedConfig, ServiceInputTypes, ServiceOutputTypes>
>;

export class S3Requests {
  readonly store: string;
  readonly #client: S3Client;
  readonly #limits: S3Limits;

  constructor(location: S3Location, limits: Partial<S3Limits> = {}) {
    this.store = formatS3Url(location);
    this.#limits = { ...defaultLimits, ...limits };
    this.#client = new S3Client(configurationOf(location, this.#limits));
  }

  /**
   * Sends until it succeeds, is refused for good, or attempts or time are used up.
   * @param makeCommand called for each attempt
   */
  async send<Input extends ServiceInputTypes, Output extends ServiceOutputTypes>(
    request: S3Request,
    makeCommand: () => S3Command<Input, Output>,
  ): Promise<S3Answer<Output>> {
    const { signal, operation, key } = request;
    const place = { store: this.store, operation, ...(key === undefined ? {} : { key }) };
    allowManyListeners(signal);
    const startedAtMs = performance.now();
    for (let attempts = 1; ; attempts++) {
      refuseAborted(signal, place);
      try {
        return { ...(await this.#sendOnce(request, makeCommand())), attempts };
      } catch (error) {
        refuseAborted(signal, place);
        const isSpent =
          attempts >= this.#limits.attempts || performance.now() - startedAtMs > this.#limits.repeatWithinMs;
        if (isSpent || !isRetryable(error)) throw this.translate(error, request, attempts);
      }
      const longestMs = Math.min(longestBackoffMs, this.#limits.backoffMs * 2 ** (attempts - 1));
      await sleep(Math.random() * longestMs, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
    }
  }

  translate(error: unknown, { operation, key }: S3Request, attempts?: number): NightstillError {
    return s3Error(error, { store: this.store, operation, ...(key === undefined ? {} : { key }) }, attempts);
  }

  close(): void {
    this.#client.destroy();
  }

  async #sendOnce<Input extends ServiceInputTypes, Output extends ServiceOutputTypes>(
    { headers = {}, signal }: S3Request,
    command: S3Command<Input, Output>,
  ): Promise<Omit<S3Answer<Output>, 'attempts'>> {
    let answeredAtMs = Number.NaN;
    command.middlewareStack.add(
      (next) => (call) => {
        const sent = property(call.request, 'headers');
        if (typeof sent === 'object' && sent !== null) Object.assign(sent, headers);
        return next(call);
      },
      { step: 'build', name: 'nightstillHeaders' },
    );
    command.middlewareStack.add(
      (next) => async (call) => {
        const result = await next(call);
        answeredAtMs = Date.parse(String(property(property(result.response, 'headers'), 'date')));
        return result;
      },
      { step: 'deserialize', name: 'nightstillDate', priority: 'low' },
    );
    const output = await this.#client.send(command, signal === undefined ? {} : { abortSignal: signal });
    return { output, answeredAtMs };
  }
}

function configurationOf({ region, endpoint, forcePathStyle }: S3Location, limits: S3Limits): S3ClientConfig {
  return {
    maxAttempts: 1,
    // Which checksums go with what is decided per request, see s3.ts.
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    // Waiting for "100 Continue" costs a round trip and a connection of its own.
    expectContinueHeader: false,
    requestHandler: new NodeHttpHandler({
      connectionTimeout: limits.connectTimeoutMs,
      socketTimeout: limits.idleTimeoutMs,
      httpAgent: sockets,
      httpsAgent: sockets,
    }),
    ...(region === undefined ? {} : { region }),
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(forcePathStyle === undefined ? {} : { forcePathStyle }),
  };
}

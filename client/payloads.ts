/**
 * Reads what stands in Temporal's histories and heartbeats, through the data converter of the client: where a run is encrypted,
 * an application that has the key sees what it would see without. What lies in external storage is fetched from there.
 */
import type { Client, WorkflowClient } from '@temporalio/client';
import { unreadable } from './run-error.js';
import type { FailureView } from './run-view.js';

type LoadedDataConverter = WorkflowClient['options']['loadedDataConverter'];
type Codec = LoadedDataConverter['payloadCodecs'][number];
type Payloads = Parameters<Codec['decode']>[0];
type Context = Parameters<Codec['decode']>[1];

/** A failure as histories hold it. */
export interface RawFailure {
  readonly message?: string | null;
  readonly encodedAttributes?: Payloads[number] | null;
  readonly cause?: RawFailure | null;
  readonly applicationFailureInfo?: { readonly type?: string | null } | null;
  readonly timeoutFailureInfo?: { readonly timeoutType?: number | null } | null;
  readonly canceledFailureInfo?: object | null;
  readonly terminatedFailureInfo?: object | null;
}

/** Of `TimeoutType`. */
const timeouts: Readonly<Record<number, string>> = {
  1: 'start-to-close-timeout',
  2: 'schedule-to-start-timeout',
  3: 'schedule-to-close-timeout',
  4: 'heartbeat-timeout',
};

export class PayloadReader {
  readonly #converter: LoadedDataConverter;
  readonly #namespace: string;

  constructor(
    client: Client,
    readonly workflowId: string,
    /** Whose payloads they are, in words. */
    readonly subject = `run ${workflowId}`,
  ) {
    this.#converter = client.workflow.options.loadedDataConverter;
    this.#namespace = client.options.namespace;
  }

  /**
   * The first of these payloads; of the activity where one is named, else of the workflow. Undefined where there is none.
   * @throws run-unreadable
   */
  async value(payloads: Payloads | null | undefined, activityId?: string): Promise<unknown> {
    const [payload] = payloads ?? [];
    if (!payload) return undefined;
    const context = this.#contextOf(activityId);
    try {
      let decoded = await this.#fetched([payload]);
      for (const codec of this.#converter.payloadCodecs.toReversed()) decoded = await codec.decode(decoded, context);
      return decoded[0] && this.#converter.payloadConverter.fromPayload<unknown>(decoded[0], context);
    } catch (cause) {
      throw unreadable(this.subject, cause, { runId: this.workflowId });
    }
  }

  /**
   * What lies in external storage, as Temporal's own client fetches it; without the configuration that refuses a reference by name. Its
   * module is none that the SDK promises to keep: whoever has nothing there does not need it.
   */
  async #fetched(payloads: Payloads): Promise<Payloads> {
    const { externalStorage } = this.#converter;
    if (externalStorage === undefined && !payloads.some(isReference)) return payloads;
    const { extstoreInboundOptions } =
      await import('@temporalio/common/lib/internal-non-workflow/external-storage-visitor.js');
    return extstoreInboundOptions(externalStorage).transformPayloads(payloads, undefined);
  }

  /** Code and message of what went wrong, without what Temporal wraps around it. */
  async failure(raw: RawFailure | null | undefined, activityId?: string): Promise<FailureView | undefined> {
    if (!raw) return undefined;
    const isWrapper = !raw.applicationFailureInfo && !raw.timeoutFailureInfo && !raw.canceledFailureInfo;
    if (isWrapper && raw.cause) return this.failure(raw.cause, activityId);
    return { code: codeOf(raw), message: await this.#messageOf(raw, activityId) };
  }

  async #messageOf({ message, encodedAttributes }: RawFailure, activityId: string | undefined): Promise<string> {
    const attributes = encodedAttributes ? await this.value([encodedAttributes], activityId) : undefined;
    const hidden = typeof attributes === 'object' && attributes !== null && 'message' in attributes;
    return hidden ? String(attributes.message) : (message ?? '');
  }

  #contextOf(activityId: string | undefined): Context {
    const { workflowId } = this;
    return activityId === undefined
      ? { type: 'workflow', namespace: this.#namespace, workflowId }
      : { type: 'activity', namespace: this.#namespace, workflowId, activityId, isLocal: false };
  }
}

const isReference = ({ externalPayloads }: Payloads[number]): boolean => Boolean(externalPayloads?.length);

function codeOf({
  applicationFailureInfo,
  timeoutFailureInfo,
  canceledFailureInfo,
  terminatedFailureInfo,
}: RawFailure) {
  if (applicationFailureInfo) return applicationFailureInfo.type || 'unexpected';
  if (timeoutFailureInfo) return timeouts[timeoutFailureInfo.timeoutType ?? 0] ?? 'timeout';
  if (canceledFailureInfo) return 'run-cancelled';
  return terminatedFailureInfo ? 'run-terminated' : 'unexpected';
}

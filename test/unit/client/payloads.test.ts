import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import {
  ActivityFailure,
  ApplicationFailure,
  defaultPayloadConverter,
  METADATA_ENCODING_KEY,
  TimeoutFailure,
  type Payload,
  type PayloadCodec,
} from '@temporalio/common';
import { encodeErrorToFailure } from '@temporalio/common/lib/internal-non-workflow/codec-helpers.js';
import { ExternalStorageRunner } from '@temporalio/common/lib/internal-non-workflow/external-storage-runner.js';
import { PayloadReader } from '../../../client/payloads.js';
import { StoredPayloads } from '../../support/stored-payloads.js';

/** Flips every bit of the data, and says so. */
const flipping: PayloadCodec = {
  encode: (payloads) => Promise.resolve(payloads.map(flip)),
  decode: (payloads) => Promise.resolve(payloads.map(flip)),
};
const flip = ({ data, metadata }: Payload): Payload => ({
  ...(metadata && { metadata }),
  data: (data ?? new Uint8Array()).map((byte) => byte ^ 0xff),
});

const hiding = {
  payloadCodecs: [flipping],
  failureConverterPath: join(import.meta.dirname, '../../support/encoding-failure-converter.cjs'),
};

function readerWith(dataConverter: object): PayloadReader & { client: Client } {
  const client = new Client({ connection: Connection.lazy({ address: '127.0.0.1:9' }), dataConverter });
  return Object.assign(new PayloadReader(client, 'run-1'), { client });
}

describe('what Temporal holds of a run', () => {
  it('is read through the codecs of the client', async () => {
    const payload = defaultPayloadConverter.toPayload({ step: 7 });
    expect(await readerWith({}).value([payload])).toEqual({ step: 7 });
    expect(await readerWith(hiding).value([flip(payload)], 'import')).toEqual({ step: 7 });
    expect(await readerWith(hiding).value([])).toBeUndefined();
  });

  it('is fetched from external storage, before the codecs decode it; without that it is refused by name', async () => {
    const stored = new StoredPayloads();
    const dataConverter = { externalStorage: stored.storage(), payloadCodecs: [flipping] };
    const payload = flip(defaultPayloadConverter.toPayload({ step: 7 }));
    const [reference = payload] = await new ExternalStorageRunner(dataConverter.externalStorage).store([payload]);
    expect(await readerWith(dataConverter).value([reference], 'import')).toEqual({ step: 7 });
    await expect(readerWith({ payloadCodecs: [flipping] }).value([reference])).rejects.toMatchObject({
      code: 'run-unreadable',
      message: expect.stringContaining('expected the externalStorage of the data converter that it was started with'),
    });
  });

  it('is refused with a code where they do not fit', async () => {
    const strange: Payload = {
      metadata: { [METADATA_ENCODING_KEY]: Buffer.from('binary/encrypted') },
      data: Buffer.from('x'),
    };
    await expect(readerWith({}).value([strange])).rejects.toMatchObject({ code: 'run-unreadable' });
  });

  it.each([
    ['in clear', {}],
    ['encoded', hiding],
  ])('names a failure by its code and message, %s, without what is wrapped around it', async (_, dataConverter) => {
    const reader = readerWith(dataConverter);
    const { loadedDataConverter } = reader.client.workflow.options;
    const inner = ApplicationFailure.create({ type: 'dataset-empty', message: 'expected rows' });
    const wrapped = new ActivityFailure('Activity task failed', 'import', 'import', 'NON_RETRYABLE_FAILURE', '', inner);
    const failure = await encodeErrorToFailure(loadedDataConverter, wrapped);
    if (dataConverter === hiding) expect(JSON.stringify(failure)).not.toContain('expected rows');
    expect(await reader.failure(failure)).toEqual({ code: 'dataset-empty', message: 'expected rows' });
    const silent = await encodeErrorToFailure(loadedDataConverter, new TimeoutFailure('late', undefined, 'HEARTBEAT'));
    expect(await reader.failure(silent)).toEqual({ code: 'heartbeat-timeout', message: 'late' });
  });
});

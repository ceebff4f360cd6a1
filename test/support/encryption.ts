/** A data converter of a user who lets Temporal read nothing: payloads are encrypted whole, failures are encoded. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { DataConverter, Payload, PayloadCodec } from '@temporalio/common';
import { packageRoot } from '../../tools/package-root.js';

const encoding = 'binary/encrypted';
const algorithm = 'aes-256-gcm';
const ivBytes = 12;
const tagBytes = 16;

/** Payloads are kept as JSON inside: its bytes in base64. */
interface Sealed {
  readonly metadata: Readonly<Record<string, string>>;
  readonly data: string;
}

class EncryptingCodec implements PayloadCodec {
  readonly #key = randomBytes(32);

  encode(payloads: Payload[]): Promise<Payload[]> {
    return Promise.resolve(
      payloads.map((payload) => ({
        metadata: { encoding: Buffer.from(encoding) },
        data: this.#encrypt(Buffer.from(JSON.stringify(sealedOf(payload)))),
      })),
    );
  }

  decode(payloads: Payload[]): Promise<Payload[]> {
    return Promise.resolve(
      payloads.map((payload) =>
        Buffer.from(payload.metadata?.['encoding'] ?? []).toString() === encoding
          ? opened(JSON.parse(this.#decrypt(Buffer.from(payload.data ?? [])).toString()) as Sealed)
          : payload,
      ),
    );
  }

  #encrypt(clear: Buffer): Uint8Array {
    const iv = randomBytes(ivBytes);
    const cipher = createCipheriv(algorithm, this.#key, iv);
    return Buffer.concat([iv, cipher.update(clear), cipher.final(), cipher.getAuthTag()]);
  }

  #decrypt(sealed: Buffer): Buffer {
    const decipher = createDecipheriv(algorithm, this.#key, sealed.subarray(0, ivBytes));
    decipher.setAuthTag(sealed.subarray(-tagBytes));
    return Buffer.concat([decipher.update(sealed.subarray(ivBytes, -tagBytes)), decipher.final()]);
  }
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

const sealedOf = ({ metadata, data }: Payload): Sealed => ({
  metadata: Object.fromEntries(Object.entries(metadata ?? {}).map(([name, bytes]) => [name, base64(bytes)])),
  data: base64(data ?? new Uint8Array()),
});

const opened = ({ metadata, data }: Sealed): Payload => ({
  metadata: Object.fromEntries(Object.entries(metadata).map(([name, text]) => [name, Buffer.from(text, 'base64')])),
  data: Buffer.from(data, 'base64'),
});

export const encrypted = (): DataConverter => ({
  payloadCodecs: [new EncryptingCodec()],
  failureConverterPath: join(packageRoot(), 'test/support/encoding-failure-converter.cjs'),
});

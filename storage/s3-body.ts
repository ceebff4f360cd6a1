/**
 * The body of an answer as the port promises it: all announced bytes, or a coded error at the end of the stream. A checksum
 * that does not match is `object-damaged` (the way or the disk, which only another read can tell); everything else that
 * breaks off is `store-unavailable`. An error that comes before anybody reads waits for the reader: it ends no process.
 */
import { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import { hasCode, NightstillError } from '../config/errors.js';
import { destroyOnAbort } from './abort.js';

/** Enough that the connection need not be stopped and started for every chunk of 64 KiB. */
const bufferedBytes = 1024 * 1024;

export interface AnswerBody {
  readonly source: Readable;
  readonly bytes: number;
  readonly signal: AbortSignal | undefined;
  readonly place: { readonly store: string; readonly operation: string; readonly key: string };
  /** A coded error for what the connection throws. */
  readonly translate: (error: unknown) => Error;
}

export function readAnswer(answer: AnswerBody): Readable {
  const body = answer.source instanceof IncomingMessage ? withCodedErrors(answer.source, answer) : readChecked(answer);
  return body.on('error', () => undefined);
}

/** What comes straight from the connection is handed on as it is: HTTP counts the bytes, only errors get a code. */
function withCodedErrors(source: IncomingMessage, { signal, place, translate }: AnswerBody): Readable {
  const destroy = source.destroy.bind(source);
  source.destroy = (error) => destroy(error && !hasCode(error) ? translate(error) : error);
  destroyOnAbort(source, signal, place);
  return source;
}

/** What the SDK puts between (a checksum) neither counts nor passes the end of the connection on. */
function readChecked({ source, bytes, signal, place, translate }: AnswerBody): Readable {
  let seen = 0;
  const body = new Readable({
    highWaterMark: bufferedBytes,
    read() {
      source.resume();
    },
    destroy(error, callback) {
      source.destroy();
      callback(error);
    },
  });
  const fail = (error: unknown): void =>
    void body.destroy(isMismatch(error) ? damaged(error, place) : translate(error));
  source.on('data', (chunk: Uint8Array) => {
    seen += chunk.byteLength;
    if (!body.push(chunk)) source.pause();
  });
  source.on('error', fail);
  source.on('end', () => {
    if (seen === bytes) body.push(null);
    else fail(new Error(`expected ${bytes} bytes, the connection gave ${seen}`));
  });
  source.on('close', () => {
    if (!source.readableEnded && !body.destroyed)
      fail(new Error(`the connection closed after ${seen} of ${bytes} bytes`));
  });
  destroyOnAbort(body, signal, place);
  return body;
}

const isMismatch = (error: unknown): boolean => error instanceof Error && error.message.startsWith('Checksum mismatch');

const damaged = (cause: unknown, place: AnswerBody['place']): NightstillError =>
  new NightstillError(
    'object-damaged',
    'Expected the bytes that were stored, found others: the checksum does not match',
    {
      cause,
      details: { ...place },
    },
  );

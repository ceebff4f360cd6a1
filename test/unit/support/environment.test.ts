import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deserialize, serialize } from 'node:v8';
import { Worker } from 'node:worker_threads';

/** What a worker thread posts after evaluating `expression`. */
function fromWorker(expression: string): Promise<unknown> {
  const worker = new Worker(`require('node:worker_threads').parentPort.postMessage(${expression})`, { eval: true });
  return new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
}

/** What `act` throws. */
function thrownBy(act: () => unknown): unknown {
  try {
    return act();
  } catch (error) {
    return error;
  }
}

describe('the Jest environment', () => {
  it('lets bytes that node reads be instances of the classes that tests see', () => {
    const bytes = readFileSync(join(import.meta.dirname, 'environment.test.ts'));
    expect(bytes).toBeInstanceOf(Uint8Array);
    expect(bytes.buffer).toBeInstanceOf(ArrayBuffer);
    expect(deserialize(serialize(new BigInt64Array(1)))).toBeInstanceOf(BigInt64Array);
  });

  it.each(['Float32Array', 'Int32Array', 'Uint8Array', 'BigUint64Array', 'SharedArrayBuffer'])(
    'lets a %s of a worker thread be an instance of the class that tests see',
    async (name) => {
      expect(await fromWorker(`new ${name}(8)`)).toBeInstanceOf(Reflect.get(globalThis, name));
    },
  );

  it('lets errors of fs and of worker threads be errors', async () => {
    expect(thrownBy(() => readFileSync('/nonexistent/file'))).toBeInstanceOf(Error);
    expect(await fromWorker('new RangeError("far")')).toBeInstanceOf(RangeError);
  });

  it('lets errors that the engine throws in the realm of the tests be errors', () => {
    const missing: unknown = JSON.parse('null');
    const thrown = thrownBy(() => Reflect.get(missing as object, 'field'));
    expect(thrown).toBeInstanceOf(TypeError);
    expect(thrown).toBeInstanceOf(Error);
    expect(thrownBy(() => JSON.parse('{'))).toBeInstanceOf(SyntaxError);
    expect(thrownBy(() => JSON.parse('{'))).not.toBeInstanceOf(TypeError);
  });

  it('gives the tests of a project the time that its configuration names', () => {
    const limit: unknown = Reflect.get(globalThis, Symbol.for('TEST_TIMEOUT_SYMBOL'));
    expect(limit).toBe(30_000);
  });

  it('gives sources their import.meta', () => {
    expect(fileURLToPath(import.meta.url)).toBe(import.meta.filename);
    expect(dirname(import.meta.filename)).toBe(import.meta.dirname);
  });
});

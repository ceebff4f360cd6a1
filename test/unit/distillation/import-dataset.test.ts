/** The import over a real file store, interrupted in all ways that do not need another process. */
import { appendFile, chmod, mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import { importDataset, openDatasetSource, type DatasetSource } from '../../../distillation/index.js';
import { openObjectStore, readArtifact, readBlob, type ArtifactRef, type ObjectStore } from '../../../storage/index.js';
import { jsonLines } from '../../support/datasets.js';
import { claim, keysOf, stageKeyOf } from '../../support/stage.js';

let directory: string;
let path: string;
let store: ObjectStore;
let stages = 0;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'nightstill-import-'));
  path = join(directory, 'rows.jsonl');
  store = await openObjectStore(pathToFileURL(join(directory, 'store')).href, { forWriting: true });
});

afterAll(async () => {
  await store.close();
  await rm(directory, { recursive: true, force: true });
});

interface Attempt {
  readonly stageKey: string;
  readonly shardBytes?: number;
  readonly source?: DatasetSource;
  /** Called at every report. */
  readonly onProgress?: (abort: AbortController) => void;
}

async function attempt({ stageKey, shardBytes = 2000, source, onProgress }: Attempt): Promise<ArtifactRef> {
  const abort = new AbortController();
  const opened = source ?? (await openDatasetSource(pathToFileURL(path).href));
  const { dataset } = await importDataset({
    store,
    writer: await claim(store, stageKey),
    files: [{ source: opened, identity: await opened.identify() }],
    shardBytes,
    onProgress: () => onProgress?.(abort),
    stop: abort.signal,
  });
  return dataset;
}

const newStage = (): string => stageKeyOf(`import ${(stages += 1)}`);
const importText = async (text: string | Uint8Array, shardBytes = 2000): Promise<ArtifactRef> => {
  await writeFile(path, text);
  return attempt({ stageKey: newStage(), shardBytes });
};

/** A source that hands out small chunks and fails at a byte, as a network would. */
const failingAt = async (byte: number, chunkBytes: number): Promise<DatasetSource> => {
  const source = await openDatasetSource(pathToFileURL(path).href);
  async function* read(identity: Parameters<DatasetSource['read']>[0], start: number) {
    let at = start;
    for await (const chunk of source.read(identity, start))
      for (let begin = 0; begin < chunk.length; begin += chunkBytes) {
        if (at >= byte) throw new Error('cut');
        const piece = chunk.subarray(begin, begin + chunkBytes);
        at += piece.length;
        yield piece;
      }
  }
  return { ...source, read };
};

async function rowsOf(artifact: ArtifactRef): Promise<unknown[]> {
  const { parts } = await readArtifact(store, artifact);
  const shards = await Promise.all(parts.map((part) => readBlob(store, part)));
  const text = Buffer.concat(shards).toString();
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
}

describe('an import', () => {
  it('cuts the rows into shards of the target size, in the order of the file', async () => {
    const artifact = await importText(jsonLines(20_000));
    const { parts } = await readArtifact(store, artifact);
    expect(parts.length).toBeGreaterThan(5);
    for (const { bytes } of parts.slice(0, -1)) expect(bytes).toBeGreaterThanOrEqual(2000);
    const rows = await rowsOf(artifact);
    expect(rows).toHaveLength(artifact.rows ?? 0);
    expect(rows[1]).toMatchObject({
      messages: [{ content: 'What is 1/1? word ' }, { content: 'It is 1.' }],
      extra: { topic: 1 },
    });
  });

  it('sees the same rows with a byte order mark, carriage returns, blank lines and no last newline', async () => {
    const plain = await importText('{"prompt":"a"}\n{"prompt":"b"}\n');
    expect((await importText('\uFEFF{"prompt":"a"}\r\n\r\n{"prompt": "b"}')).digest).toBe(plain.digest);
  });

  it('comes to the same artifact from wherever it was cut off, and however its bytes arrive', async () => {
    const text = jsonLines(12_000, 3);
    const { digest } = await importText(text);
    await fc.assert(
      fc.asyncProperty(fc.nat(text.length), fc.integer({ min: 1, max: 3000 }), async (cut, chunkBytes) => {
        const stageKey = newStage();
        const ends = [
          await endOf(attempt({ stageKey, source: await failingAt(cut, chunkBytes) })),
          await endOf(stopAt(stageKey, 1 + (cut % 20))),
          await endOf(attempt({ stageKey })),
        ];
        expect([digest, 'cut']).toContain(ends[0]);
        expect([digest, 'asked to stop']).toContain(ends[1]);
        expect(ends[2]).toBe(digest);
      }),
      { numRuns: 20, seed: 1 },
    );
  });

  it('makes every closed shard durable when it is asked to stop', async () => {
    await writeFile(path, jsonLines(20_000, 4));
    const stageKey = newStage();
    await expect(stopAt(stageKey, 4)).rejects.toThrow('asked to stop');
    const restored = await (await claim(store, stageKey)).restore();
    expect(restored?.step).toBeGreaterThanOrEqual(2);
  });

  it('reports for every blob that it verifies or takes up again, so that a long dataset does not look like silence', async () => {
    await writeFile(path, jsonLines(20_000, 7));
    const stageKey = newStage();
    await expect(stopAt(stageKey, 8)).rejects.toThrow('asked to stop');
    const { step = 0 } = (await (await claim(store, stageKey)).restore()) ?? {};
    let reports = 0;
    const source = await failingAt(0, 1000);
    await expect(attempt({ stageKey, source, onProgress: () => (reports += 1) })).rejects.toThrow('cut');
    expect([step > 1, reports]).toEqual([true, 3 * step]); // a shard and its ids verified, its ids taken up
  });

  it('numbers rows that occur again, across shards and interruptions', async () => {
    await writeFile(path, '{"prompt":"again and again"}\n'.repeat(200));
    const stageKey = newStage();
    await expect(stopAt(stageKey, 6)).rejects.toThrow('asked to stop');
    const ids = (await rowsOf(await attempt({ stageKey }))).map((row) => (row as { id: string }).id);
    expect(new Set(ids).size).toBe(200);
    expect(ids.at(-1)).toBe(`${ids[0]}-200`);
  });

  it.each([
    [
      'an id that two rows share',
      '{"id":"a","prompt":"q"}\n{"id":"b","prompt":"q"}\n{"id":"a","prompt":"r"}',
      /^line 3: .*the id of line 1$/,
    ],
    ['a bad row, by its line', '{"prompt":"q"}\n\n{"prompt":1}', /^line 3: expected prompt: a text, found a number$/],
  ])('refuses %s', async (_, text, message) => {
    await expect(importText(text)).rejects.toMatchObject({
      code: 'dataset-row-invalid',
      message: expect.stringMatching(message),
    });
  });

  it('finds the shared id also when the first row was read by an attempt before', async () => {
    await writeFile(
      path,
      `${jsonLines(10_000, 5)}{"id":"a","prompt":"q"}\n${jsonLines(10_000, 6)}{"id":"a","prompt":"q"}\n`,
    );
    const stageKey = newStage();
    await expect(stopAt(stageKey, 9)).rejects.toThrow('asked to stop');
    await expect(attempt({ stageKey })).rejects.toMatchObject({ code: 'dataset-row-invalid' });
  });

  it.each([
    ['nothing', ''],
    ['blank lines', '\n \n\r\n'],
  ])('refuses a dataset of %s', async (_, text) => {
    await expect(importText(text)).rejects.toMatchObject({ code: 'dataset-empty' });
  });

  it('refuses a dataset that changed between its identification and the end of reading', async () => {
    await writeFile(path, jsonLines(5000));
    const changing = attempt({
      stageKey: newStage(),
      onProgress: () => void appendFile(path, '\n').catch(() => undefined),
    });
    await expect(changing).rejects.toMatchObject({ code: 'dataset-changed' });
  });

  it('takes a file of equal size and time for the same, and of another time for another', async () => {
    const source = await openDatasetSource(pathToFileURL(path).href);
    await writeFile(path, 'one');
    await utimes(path, 1000, 1000);
    const before = await source.identify();
    await writeFile(path, 'two');
    await utimes(path, 1000, 1000);
    expect(await source.identify()).toEqual(before);
    await utimes(path, 1000, 1001);
    expect(await source.identify()).not.toEqual(before);
  });

  it('says what is missing: no file, a directory', async () => {
    for (const missing of [join(directory, 'none'), directory]) {
      const source = await openDatasetSource(pathToFileURL(missing).href);
      await expect(source.identify()).rejects.toMatchObject({ code: 'dataset-missing' });
    }
  });

  it('says so when the file may not be read, before or while it is read', async () => {
    const [locked, inside] = [join(directory, 'locked'), join(directory, 'locked', 'rows.jsonl')];
    await mkdir(locked);
    await writeFile(inside, jsonLines(100));
    const source = await openDatasetSource(pathToFileURL(inside).href);
    const identity = await source.identify();
    const read = async () => {
      for await (const _ of source.read(identity, 0)) throw new Error('expected nothing to be read');
    };
    const ends: unknown[] = [];
    for (const [place, act] of [
      [inside, read],
      [locked, () => source.identify()],
    ] as const) {
      // prettier-ignore
      await chmod(place, 0o000);
      const isRoot = process.geteuid?.() === 0;
      if (isRoot) process.seteuid?.(65_534);
      ends.push(await act().catch((error: unknown) => error));
      if (isRoot) process.seteuid?.(0);
      await chmod(place, 0o700);
    }
    expect(ends).toEqual([1, 2].map(() => expect.objectContaining({ code: 'dataset-missing', retryable: false })));
  });

  it.each([
    'https://example.org/rows.jsonl',
    'rows.jsonl',
    'file://host/rows.jsonl',
    'file:///folder%2Frows.jsonl',
    'file:///rows.jsonl?version=2',
  ])('refuses %s, which no source can be, as a fault of the plan', async (uri) => {
    await expect(openDatasetSource(uri)).rejects.toMatchObject({ code: 'plan-invalid' });
  });

  it('leaves nothing in the store but what its checkpoints and artifacts name', async () => {
    expect((await keysOf(store)).every((key) => /^(blobs|heads|checkpoints|probe)\//.test(key))).toBe(true);
  });
});

const endOf = (work: Promise<ArtifactRef>): Promise<string> =>
  work.then(
    ({ digest }) => digest,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );

/** An attempt that is asked to stop at its n-th report. */
function stopAt(stageKey: string, report: number): Promise<ArtifactRef> {
  let reports = 0;
  const onProgress = (abort: AbortController): void => {
    if ((reports += 1) === report) abort.abort(new Error('asked to stop'));
  };
  return failingAt(Infinity, 1000).then((source) => attempt({ stageKey, source, onProgress }));
}

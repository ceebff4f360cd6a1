/** Captured logits through a real store: what was written is read for the right sample, or refused. */
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import fc from 'fast-check';
import {
  LogitWriter,
  openLogits,
  type LogitRow,
  type LogitWriterRequest,
  type NewLogitHeader,
} from '../../../distillation/logits/index.js';
import { markUsed, removeUnused } from '../../../distillation/artifact-cache.js';
import { buildBatch, type Batch } from '../../../engine/data/packing.js';
import type { Sample } from '../../../engine/data/samples.js';
import { createRandom } from '../../../engine/training/random.js';
import { openObjectStore, readArtifact, type ArtifactRef, type ObjectStore } from '../../../storage/index.js';
import { claim, stageKeyOf } from '../../support/stage.js';
import { batchOf, header, probabilitiesOf, rowOf, teacherSamples } from '../../support/teacher-rows.js';
import { temporaryDirectory } from '../../support/temporary.js';

let store: ObjectStore;
let stages = 0;

beforeAll(async () => {
  store = await openObjectStore(pathToFileURL(join(temporaryDirectory(), 'store')).href, { forWriting: true });
});

afterAll(() => store.close());

const inOneRow = (sample: Sample, columns: number): Batch => buildBatch([[sample]], 1, columns);

const newStage = (): string => stageKeyOf(`logits ${(stages += 1)}`);

interface Capture extends Partial<Pick<LogitWriterRequest, 'shardBytes'>> {
  readonly of?: NewLogitHeader;
  readonly stageKey?: string;
}

const writerOf = async ({ of = header(), stageKey = newStage(), ...rest }: Capture = {}) =>
  LogitWriter.resume({ store, writer: await claim(store, stageKey), header: of, ...rest });

async function capture(rows: readonly LogitRow[], request: Capture = {}): Promise<ArtifactRef> {
  const writer = await writerOf(request);
  for (const row of rows) await writer.add(row);
  return writer.finish();
}

const open = (artifact: ArtifactRef, options = {}) => openLogits(store, artifact, temporaryDirectory(), options);

const samples = teacherSamples(40, 32);
const rows = samples.map(({ sample, logits }) => rowOf(sample, logits, header()));

describe('stored logits', () => {
  it('are found by sample and tokens under shuffling and packing, at every captured temperature', async () => {
    const logits = await open(await capture(rows, { shardBytes: 2000 }));
    const random = createRandom(1, 'order');
    const shuffled = [...random.permutation(samples.length)].map((index) => samples[index]!);
    const batch = batchOf(shuffled.map(({ sample }) => sample));
    for (const temperature of [1, 2]) {
      const { teacherIds, teacherLogProbabilities, teacherMissingMass } = await logits.extra(batch, temperature);
      for (const [index, { row, start }] of batch.placements.entries())
        for (const [position, dense] of shuffled[index]!.logits.entries()) {
          const place = row * 20 + start + position;
          const expected = probabilitiesOf(dense, temperature);
          const ids = [...teacherIds.subarray(place * 5, place * 5 + 5)];
          const kept = ids.map((id) => expected[id]!);
          expect(kept).toEqual([...expected].sort((a, b) => b - a).slice(0, 5));
          const difference = ids.map((_, at) => teacherLogProbabilities[place * 5 + at]! - Math.log(kept[at]!));
          expect(Math.max(...difference.map(Math.abs))).toBeLessThan(1e-5);
          const missing = 1 - kept.reduce((sum, p) => sum + p, 0);
          expect(teacherMissingMass[place]! / missing).toBeCloseTo(1, 5);
        }
    }
    await logits.close();
  });

  it('fill rows without weight with ids that differ and are in the vocabulary', async () => {
    const logits = await open(await capture(rows));
    const batch = batchOf(samples.slice(0, 7).map(({ sample }) => sample));
    const { teacherIds, teacherLogProbabilities } = await logits.extra(batch, 1);
    for (let token = 0; token < batch.rows * batch.columns; token++) {
      const ids = teacherIds.subarray(token * 5, token * 5 + 5);
      expect([new Set(ids).size, ids.every((id) => id >= 0 && id < 32)]).toEqual([5, true]);
    }
    expect(teacherLogProbabilities.every(Number.isFinite)).toBe(true);
    await logits.close();
  });

  it('keep ids of 18 bits, in at most 43 bytes a token at ten ids', async () => {
    const of = header({ vocabularySize: 151_936, k: 10, temperatures: [1], valueType: 'float16' });
    const random = createRandom(5, 'wide');
    const sample = { id: 'wide', ids: Int32Array.from({ length: 401 }, () => random.integer(151_936)), trained: [] };
    const topIds = Int32Array.from({ length: 4000 }, (_, entry) => 151_935 - 13_000 * (entry % 10) - (entry % 7919));
    const gaps = Float32Array.from({ length: 4000 }, (_, entry) => -(entry % 10));
    const row = { ...sample, topIds, gaps, missingLogOdds: [Float64Array.from({ length: 400 }, () => -3)] };
    const artifact = await capture([row], { of });
    expect(artifact.bytes / 400).toBeLessThan(44.5); // with header, id and index of a store of one row
    const other = await capture([row, { ...row, id: 'more', ids: sample.ids.toReversed() }], { of });
    expect((other.bytes - artifact.bytes) / 400).toBeLessThan(43);
    const logits = await open(artifact);
    const { teacherIds } = await logits.extra(inOneRow(sample, 500), 1);
    expect(teacherIds.subarray(0, 4000)).toEqual(topIds);
    await logits.close();
  });

  it.each([
    ['float32', 1e-5],
    ['float16', 0.01],
  ] as const)(
    'lose no confident teacher: a missing mass of 1e-12 is there again from %s',
    async (valueType, within) => {
      const of = header({ k: 1, temperatures: [1], valueType });
      const sample = { id: 'sure', ids: Int32Array.from([1, 2, 3]), trained: [] };
      const missing = [1e-12, 0.25];
      const missingLogOdds = [Float64Array.from(missing, (r) => Math.log(r) - Math.log1p(-r))];
      const row = { ...sample, topIds: Int32Array.from([4, 4]), gaps: new Float32Array(2), missingLogOdds };
      const logits = await open(await capture([row], { of }));
      const found = await logits.extra(inOneRow(sample, 3), 1);
      missing.forEach((r, at) => {
        expect(Math.abs(found.teacherMissingMass[at]! / r - 1)).toBeLessThan(within);
        expect(Math.abs(found.teacherLogProbabilities[at]! - Math.log1p(-r))).toBeLessThan(within);
      });
      await logits.close();
    },
  );

  it('of a larger vocabulary are cut to the ids of the student, and the rest is scaled to 1 again', async () => {
    const logits = await open(await capture(rows), { vocabularySize: 20 });
    const { sample, logits: dense } = samples[1]!;
    const batch = batchOf([sample]);
    const found = await logits.extra(batch, 1);
    dense.forEach((position, at) => {
      const whole = probabilitiesOf(position, 1);
      const kept = rows[1]!.topIds.subarray(at * 5, at * 5 + 5);
      const cut = [...kept].filter((id) => id >= 20).reduce((sum, id) => sum + whole[id]!, 0);
      const missing = whole.reduce((sum, p, id) => (kept.includes(id) ? sum : sum + p), 0);
      expect(found.teacherMissingMass[at]).toBeCloseTo(missing / (1 - cut), 5);
      const ids = found.teacherIds.subarray(at * 5, at * 5 + 5);
      expect([new Set(ids).size, ids.every((id) => id < 20)]).toEqual([5, true]);
      kept.forEach((id, entry) => {
        const log = found.teacherLogProbabilities[at * 5 + entry]!;
        expect(log).toBeCloseTo(id < 20 ? Math.log(whole[id]! / (1 - cut)) : -Infinity, 4);
      });
    });
    await logits.close();
    await expect(open(await capture(rows), { vocabularySize: 4 })).rejects.toMatchObject({ code: 'logits-invalid' });
  });

  it('are refused for a sample that is not there, for other tokens of a known sample, and at another temperature', async () => {
    const logits = await open(await capture(rows.slice(1)));
    const [absent, known] = [samples[0]!.sample, samples[1]!.sample];
    const refused = (sample: typeof known, temperature = 1) =>
      expect(logits.extra(batchOf([sample]), temperature)).rejects.toMatchObject({ code: 'logits-invalid' });
    await refused(absent);
    await refused({ ...known, ids: known.ids.map((id, at) => (at === 0 ? (id + 1) % 32 : id)) });
    await refused({ ...known, ids: known.ids.slice(0, -1), trained: [] });
    await refused(known, 1.5);
    await logits.extra(batchOf([known]), 2);
    await logits.close();
  });

  it('tell samples of one id apart by their tokens', async () => {
    const both = samples.slice(0, 2).map(({ sample, logits }) => ({ sample: { ...sample, id: 'same' }, logits }));
    const logits = await open(await capture(both.map(({ sample, logits: dense }) => rowOf(sample, dense, header()))));
    const batch = batchOf(both.map(({ sample }) => sample).toReversed());
    const { teacherIds } = await logits.extra(batch, 1);
    const [second, first] = batch.placements;
    expect(teacherIds[second!.start * 5]).toBe(rows[1]!.topIds[0]);
    expect(teacherIds[first!.start * 5]).toBe(rows[0]!.topIds[0]);
    await logits.close();
  });
});

describe('a writer of logits', () => {
  const [row] = rows.filter(({ ids }) => ids.length > 3);
  const changed = (changes: Partial<LogitRow>): LogitRow => ({ ...row!, ...changes });
  it.each([
    ['one distribution a token', changed({ ids: row!.ids.slice(1) })],
    ['two fewer than tokens', changed({ ids: Int32Array.from([...row!.ids, 1]) })],
    ['no tokens', changed({ ids: new Int32Array() })],
    ['an id twice', changed({ topIds: row!.topIds.with(1, row!.topIds[0]!) })],
    ['an id beyond the vocabulary', changed({ topIds: row!.topIds.with(3, 32) })],
    ['a negative id', changed({ topIds: row!.topIds.with(3, -1) })],
    ['rising logits', changed({ gaps: row!.gaps.with(1, -50).with(2, -40) })],
    ['a logit that is no number', changed({ gaps: row!.gaps.with(1, Number.NaN) })],
    ['one temperature of two', changed({ missingLogOdds: row!.missingLogOdds.slice(1) })],
    [
      'a missing mass that is no number',
      changed({ missingLogOdds: row!.missingLogOdds.map((odds) => odds.with(0, NaN)) }),
    ],
    ['a missing mass of 1', changed({ missingLogOdds: row!.missingLogOdds.map((odds) => odds.with(0, Infinity)) })],
  ])('refuses %s', async (_, wrong) => {
    await expect(capture([wrong])).rejects.toMatchObject({ code: 'logits-invalid' });
  });

  it.each([{ k: 33 }, { k: 0 }, { temperatures: [] }, { temperatures: [0] }, { vocabularySize: 2 ** 25 }])(
    'refuses a store of %j',
    async (changes) => {
      await expect(writerOf({ of: header(changes) })).rejects.toMatchObject({ code: 'logits-invalid' });
    },
  );

  it('comes to the same artifact from wherever it was cut off, and passes over what is there already', async () => {
    const whole = await capture(rows, { shardBytes: 1500 });
    const stageKey = newStage();
    for (const cut of [13, 29]) {
      const writer = await writerOf({ stageKey, shardBytes: 1500 });
      for (const next of rows.slice(writer.rows, cut)) await writer.add(next);
      await writer.saveNow();
    }
    const last = await writerOf({ stageKey, shardBytes: 1500 });
    expect(last.rows).toBeGreaterThan(10);
    for (const next of [...rows.slice(last.rows), ...rows]) await last.add(next);
    expect((await last.finish()).digest).toBe(whole.digest);
    expect(whole.rows).toBe(rows.length);
  });
});

describe('the cache of logits', () => {
  async function cached(): Promise<{ artifact: ArtifactRef; cache: string; path: string }> {
    const artifact = await capture(rows, { shardBytes: 3000 });
    const cache = temporaryDirectory();
    await (await openLogits(store, artifact, cache)).close();
    const [directory = ''] = readdirSync(cache);
    return { artifact, cache, path: join(cache, directory) };
  }

  it('fetches a shard anew that lost bytes, and one that is gone', async () => {
    const { artifact, cache, path } = await cached();
    const [shard = '', gone = ''] = readdirSync(path);
    const bytes = readFileSync(join(path, shard));
    truncateSync(join(path, shard), 100);
    rmSync(join(path, gone));
    const logits = await openLogits(store, artifact, cache);
    expect(logits.rows).toBe(rows.length);
    expect(readFileSync(join(path, shard)).equals(bytes)).toBe(true);
    expect(readdirSync(cache)).toHaveLength(1);
    await logits.close();
  });

  it('is filled by several at once, and clears what a process left that died', async () => {
    const { artifact, cache, path } = await cached();
    const other = temporaryDirectory();
    cpSync(path, join(other, `${artifact.digest.slice(7)}.partial-dead`), { recursive: true });
    for (const name of readdirSync(path))
      utimesSync(join(other, `${artifact.digest.slice(7)}.partial-dead`, name), 1, 1);
    utimesSync(join(other, `${artifact.digest.slice(7)}.partial-dead`), 1, 1);
    const all = await Promise.all([1, 2, 3, 4].map(() => openLogits(store, artifact, other)));
    expect(all.map((logits) => logits.rows)).toEqual([40, 40, 40, 40]);
    expect(readdirSync(other)).toEqual(readdirSync(cache));
    await Promise.all(all.map((logits) => logits.close()));
  });

  it('forgets what nobody has used for two weeks, and counts opening as a use', async () => {
    const { artifact, cache } = await cached();
    const [used = '', unused = ''] = ['a', 'b'].map((digit) => join(cache, digit.repeat(64)));
    const longAgo = new Date(Date.now() - 15 * 24 * 3600 * 1000);
    for (const directory of [used, unused]) {
      mkdirSync(directory);
      utimesSync(directory, longAgo, longAgo);
    }
    await markUsed(used);
    await removeUnused(cache);
    expect(readdirSync(cache).sort()).toEqual([artifact.digest.slice(7), 'a'.repeat(64)].sort());
  });

  it('refuses shards that were changed behind its back, by a code, whatever was changed', async () => {
    const { artifact, cache, path } = await cached();
    const [shard = ''] = readdirSync(path);
    const bytes = readFileSync(join(path, shard));
    const batch = batchOf(samples.map(({ sample }) => sample));
    await fc.assert(
      fc.asyncProperty(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const damaged = Buffer.from(bytes);
        damaged[at] = damaged[at]! ^ change;
        writeFileSync(join(path, shard), damaged);
        const outcome = await openLogits(store, artifact, cache).then(
          async (logits) => {
            const found = await logits.extra(batch, 1).catch((error: { code?: string }) => error.code);
            await logits.close();
            return found;
          },
          (error: { code?: string }) => error.code,
        );
        if (typeof outcome !== 'object') expect(['artifact-invalid', 'logits-invalid']).toContain(outcome);
      }),
      { numRuns: 200, seed: 1 },
    );
  });

  it('takes only artifacts that are logits', async () => {
    const { artifact } = await cached();
    const { parts } = await readArtifact(store, artifact);
    const other = await (await claim(store, newStage())).putArtifact({ kind: 'dataset', parts, meta: {} });
    await expect(openLogits(store, other, temporaryDirectory())).rejects.toMatchObject({ code: 'artifact-invalid' });
  });
});

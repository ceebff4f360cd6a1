/** Files that are refused, and streams that nobody reads to their end, are closed: counted in what the process has open. */
import { cpSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readRows } from '../../../../engine/data/rows.js';
import { openShards } from '../../../../engine/data/shard-reader.js';
import { writeShards } from '../../../../engine/data/shards.js';
import { openModelDirectory, writeModelDirectory } from '../../../../engine/files/model-directory.js';
import { modelFixtures } from '../../../support/npy.js';
import { temporaryDirectory } from '../../../support/temporary.js';
import { byteEncoder, chat } from '../data/byte-encoder.js';

const openFiles = (): number => readdirSync('/proc/self/fd').length;

/** The number of files that stay open after twenty times. */
async function leftOpen(act: () => Promise<unknown>): Promise<number> {
  await act();
  const before = openFiles();
  for (let time = 0; time < 20; time++) await act();
  return openFiles() - before;
}

const refused = async (act: Promise<unknown>): Promise<void> => {
  await expect(act).rejects.toMatchObject({ code: expect.any(String) as string });
};

// Where a system does not list what a process has open, there is nothing to count.
const onLinux = process.platform === 'linux' ? describe : describe.skip;
if (process.platform !== 'linux') process.stderr.write('skipped: open files are counted on Linux only\n');

onLinux('no file stays open', () => {
  it('of a model whose tensors are not those of its config, in one file or in shards', async () => {
    const source = join(modelFixtures, 'qwen3-qknorm');
    const one = join(temporaryDirectory(), 'one');
    cpSync(source, one, { recursive: true });
    cpSync(join(modelFixtures, 'llama3-ropescaled', 'config.json'), join(one, 'config.json'));
    expect(await leftOpen(() => refused(openModelDirectory(one)))).toBe(0);
    const { config, tensors, close } = await openModelDirectory(source);
    const sharded = join(temporaryDirectory(), 'sharded');
    await writeModelDirectory(sharded, { config, values: tensors.readFloat32, maximumShardBytes: 50_000 });
    await close();
    const last =
      readdirSync(sharded)
        .filter((name) => name.startsWith('model-'))
        .toSorted()
        .at(-1) ?? '';
    writeFileSync(join(sharded, last), 'damaged');
    expect(await leftOpen(() => refused(openModelDirectory(sharded)))).toBe(0);
  });

  it('of shards of which the last is damaged, or whose writing fails', async () => {
    const directory = temporaryDirectory();
    const conversations = ['a', 'b', 'c'].map((id) => chat(id, 'q', 'a'));
    await writeShards(directory, conversations, byteEncoder(), { maximumTokens: 9, shardBytes: 1 });
    writeFileSync(join(directory, 'shard-00002.tokens'), 'damaged');
    expect(await leftOpen(() => refused(openShards(directory)))).toBe(0);
    const foreign = [...conversations, { id: 'd', text: 'é' }];
    const settings = { maximumTokens: 9 };
    expect(await leftOpen(() => refused(writeShards(directory, foreign, byteEncoder(128), settings)))).toBe(0);
  });

  it('of rows that are not read to their end', async () => {
    const jsonl = join(temporaryDirectory(), 'rows.jsonl');
    writeFileSync(jsonl, '{"a":1}\n'.repeat(500_000));
    const parquet = join(import.meta.dirname, '../data/snappy.parquet');
    for (const path of [jsonl, parquet]) {
      const first = async (): Promise<void> => {
        for await (const row of readRows(path)) if (row.number === 1) break;
      };
      expect(await leftOpen(first)).toBe(0);
    }
  });
});

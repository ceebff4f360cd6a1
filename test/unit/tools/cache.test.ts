import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { findEntry, listEntries, provideEntry, type Built } from '../../../tools/cache.js';
import { packageRoot } from '../../../tools/package-root.js';
import { cacheBuilderKey as key } from '../../support/cache-builder-key.js';
import { temporaryDirectory } from '../../support/temporary.js';

const whole: Built = { from: 'test', files: ['first'] };

interface Builder {
  readonly child: ChildProcess;
  /** Ends when the program has printed this word. */
  said(word: string): Promise<void>;
}

function startBuilder(cacheDirectory: string, scratch: string): Builder {
  const program = join(packageRoot(), 'dist', 'test', 'support', 'cache-builder.js');
  const child = spawn(process.execPath, [program, cacheDirectory, scratch], { stdio: ['ignore', 'pipe', 'inherit'] });
  const words: string[] = [];
  const lines = createInterface({ input: child.stdout });
  lines.on('line', (word) => words.push(word));
  const said = async (word: string) => {
    while (!words.includes(word)) await once(lines, 'line');
  };
  return { child, said };
}

const worksIn = (scratch: string): number => readFileSync(join(scratch, 'works'), 'utf8').trim().split('\n').length;

describe('an entry of the cache', () => {
  it('is built once and found from then on', async () => {
    const cacheDirectory = temporaryDirectory();
    let works = 0;
    const build = async (staging: string): Promise<Built> => {
      works += 1;
      writeFileSync(join(staging, 'first'), 'content');
      return Promise.resolve(whole);
    };
    const first = await provideEntry(cacheDirectory, key, build);
    const second = await provideEntry(cacheDirectory, key, build);
    expect(works).toBe(1);
    expect(second.directory).toBe(first.directory);
    expect(second.manifest).toMatchObject({
      part: 'sample',
      version: '1.0.0',
      release: '1.0.0',
      from: 'test',
      bytes: 7,
    });
    expect(await listEntries(cacheDirectory)).toHaveLength(1);
  });

  it('does not appear when its building fails, and nothing of it is left', async () => {
    const cacheDirectory = temporaryDirectory();
    const failing = provideEntry(cacheDirectory, key, (staging) => {
      writeFileSync(join(staging, 'first'), 'content');
      return Promise.reject(new Error('the compiler said no'));
    });
    await expect(failing).rejects.toThrow('the compiler said no');
    expect(await findEntry(cacheDirectory, key)).toBeUndefined();
    expect(readdirSync(join(cacheDirectory, 'staging'))).toEqual([]);
    expect(readdirSync(join(cacheDirectory, 'locks'))).toEqual([]);
  });

  it('that lost a file is built again', async () => {
    const cacheDirectory = temporaryDirectory();
    const build = (staging: string): Promise<Built> => {
      writeFileSync(join(staging, 'first'), 'content');
      return Promise.resolve(whole);
    };
    const { directory } = await provideEntry(cacheDirectory, key, build);
    writeFileSync(join(directory, 'first'), 'cut');
    expect(await findEntry(cacheDirectory, key)).toBeUndefined();
    await provideEntry(cacheDirectory, key, build);
    expect(readFileSync(join(directory, 'first'), 'utf8')).toBe('content');
  });

  it('with a changed bit is found by verification, and built again', async () => {
    const cacheDirectory = temporaryDirectory();
    const build = (staging: string): Promise<Built> => {
      writeFileSync(join(staging, 'first'), 'content');
      return Promise.resolve(whole);
    };
    const { directory } = await provideEntry(cacheDirectory, key, build);
    writeFileSync(join(directory, 'first'), 'cOntent');
    expect(await findEntry(cacheDirectory, key)).toBeDefined();
    expect(await findEntry(cacheDirectory, key, { verify: true })).toBeUndefined();
    await provideEntry(cacheDirectory, key, build, { verify: true });
    expect(readFileSync(join(directory, 'first'), 'utf8')).toBe('content');
  });

  it('whose manifest is not one is not there', async () => {
    const cacheDirectory = temporaryDirectory();
    const { directory } = await provideEntry(cacheDirectory, key, (staging) => {
      writeFileSync(join(staging, 'first'), 'content');
      return Promise.resolve(whole);
    });
    for (const text of ['', 'null', '{}', '[1]', '{"format":2}', '{"format":1,"files":null}']) {
      writeFileSync(join(directory, 'manifest.json'), text);
      expect(await findEntry(cacheDirectory, key)).toBeUndefined();
    }
  });
});

describe('a set-up that is killed while it builds', () => {
  it('leaves no entry, and the next one builds it and removes what was left', async () => {
    const [cacheDirectory, scratch] = [temporaryDirectory(), temporaryDirectory()];
    const killed = startBuilder(cacheDirectory, scratch);
    await killed.said('building');
    killed.child.kill('SIGKILL');
    await once(killed.child, 'exit');
    expect(await findEntry(cacheDirectory, key)).toBeUndefined();
    expect(readdirSync(join(cacheDirectory, 'staging'))).toHaveLength(1);

    writeFileSync(join(scratch, 'go'), '');
    const next = startBuilder(cacheDirectory, scratch);
    await once(next.child, 'exit');
    const entry = await findEntry(cacheDirectory, key, { verify: true });
    expect(Object.keys(entry?.manifest.files ?? {})).toEqual(['first', 'second']);
    expect(readdirSync(join(cacheDirectory, 'staging'))).toEqual([]);
    expect(readdirSync(join(cacheDirectory, 'locks'))).toEqual([]);
  });
});

describe('two set-ups at once', () => {
  it('build an entry once: the second waits for the first', async () => {
    const [cacheDirectory, scratch] = [temporaryDirectory(), temporaryDirectory()];
    const first = startBuilder(cacheDirectory, scratch);
    await first.said('building');
    const second = startBuilder(cacheDirectory, scratch);
    await second.said('waiting');
    writeFileSync(join(scratch, 'go'), '');
    await Promise.all([once(first.child, 'exit'), once(second.child, 'exit')]);
    expect([first.child.exitCode, second.child.exitCode]).toEqual([0, 0]);
    expect(worksIn(scratch)).toBe(1);
  });

  it('build an entry once more when the first was killed while the second waited', async () => {
    const [cacheDirectory, scratch] = [temporaryDirectory(), temporaryDirectory()];
    const first = startBuilder(cacheDirectory, scratch);
    await first.said('building');
    const second = startBuilder(cacheDirectory, scratch);
    await second.said('waiting');
    first.child.kill('SIGKILL');
    await second.said('building');
    writeFileSync(join(scratch, 'go'), '');
    await once(second.child, 'exit');
    expect(second.child.exitCode).toBe(0);
    expect(worksIn(scratch)).toBe(2);
    expect(existsSync(join(cacheDirectory, 'staging'))).toBe(true);
    expect(readdirSync(join(cacheDirectory, 'staging'))).toEqual([]);
  });
});

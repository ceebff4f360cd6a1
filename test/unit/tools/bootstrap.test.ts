import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { packageRoot } from '../../../tools/package-root.js';
import { temporaryDirectory } from '../../support/temporary.js';

/** Compiles nothing, and leaves the record of a compilation. */
const compiler = `require('node:fs').writeFileSync('dist/.tsbuildinfo', '');`;

describe('the first step of every command', () => {
  it('removes the output of sources that are gone, and no other', () => {
    const root = temporaryDirectory();
    const write = (path: string, content = ''): void => {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), content);
    };
    for (const path of ['package-lock.json', 'node_modules/.package-lock.json']) write(path, '{"packages":{}}');
    for (const path of ['tsconfig.json', 'room/there.ts']) write(path);
    write('node_modules/typescript/bin/tsc', compiler);
    const outputs = ['js', 'js.map', 'd.ts'];
    for (const ending of outputs) for (const name of ['there', 'gone']) write(`dist/room/${name}.${ending}`);
    mkdirSync(join(root, 'tools'));
    copyFileSync(join(packageRoot(), 'tools', 'bootstrap.mjs'), join(root, 'tools', 'bootstrap.mjs'));

    const { status } = spawnSync(process.execPath, [join(root, 'tools', 'bootstrap.mjs')], { stdio: 'inherit' });

    expect(status).toBe(0);
    const left = (name: string) => outputs.filter((ending) => existsSync(join(root, `dist/room/${name}.${ending}`)));
    expect(left('there')).toEqual(outputs);
    expect(left('gone')).toEqual([]);
    expect(existsSync(join(root, 'dist/.tsbuildinfo'))).toBe(true);
  });
});

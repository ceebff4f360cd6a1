/** What `--stages` and `--data-converter` name, as files of a user. They are plain modules, as Node loads them. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { freePort } from '../../support/free-port.js';
import { nodeProgram } from '../../support/nightstill.js';
import { compiledPath } from '../../support/processes.js';
import { temporaryDirectory } from '../../support/temporary.js';

const library = JSON.stringify(pathToFileURL(compiledPath('plugins/index.js')).href);
const define = `import { defineStage } from ${library};
const stageOf = (kind) => defineStage({ kind, version: 1, outputs: { n: 'n' }, run: () => Promise.reject(new Error()) });`;

/** What a worker that is started with this module says before it ends: it has no server. */
async function start(flag: '--stages' | '--data-converter', content: string | undefined) {
  const path = join(temporaryDirectory(), 'mine.mjs');
  if (content !== undefined) writeFileSync(path, content);
  const variables = { ...process.env, TEMPORAL_ADDRESS: `127.0.0.1:${await freePort()}` };
  const { status, standardError } = await nodeProgram('workers/io.js', [flag, path], variables);
  return { status, said: standardError.replaceAll(path, 'mine.mjs') };
}

const loaded = 'temporal-unavailable: ';

describe('a module of stages', () => {
  it.each([
    ['the export "stages"', `${define} export const stages = [stageOf('mine'), stageOf('other')];`, loaded],
    ['the default export', `${define} export default [stageOf('mine')];`, loaded],
    ['no file', undefined, 'stages-invalid: mine.mjs: expected a module, found no file mine.mjs'],
    ['no list', `${define} export const stage = stageOf('mine');`, 'stages-invalid: mine.mjs: expected a list as'],
    ['no stage', 'export const stages = [{}];', 'stages-invalid: mine.mjs: stages[0]: expected a stage, found'],
    [
      'a kind twice',
      `${define} export const stages = [stageOf('mine'), stageOf('mine')];`,
      'stages-invalid: mine.mjs: stages[1]: expected a kind of its own, found a second "mine"',
    ],
    [
      'an import that does not exist',
      "import 'no-such-package';",
      "stages-invalid: mine.mjs: expected a module that can be loaded, found: Cannot find package 'no-such-package'",
    ],
    ['no JavaScript', 'const;', 'stages-invalid: mine.mjs: expected a module that can be loaded, found: Unexpected'],
  ])('with %s', async (_, content, message) => {
    const { status, said } = await start('--stages', content);
    expect(said).toContain(message);
    expect(status).toBe(1);
  });
});

describe('a module of a data converter', () => {
  it.each([
    ['the export "dataConverter"', 'export const dataConverter = { payloadCodecs: [] };', loaded],
    ['the default export', 'export default { payloadCodecs: [] };', loaded],
    ['external storage alone', 'export default { externalStorage: { drivers: [] } };', loaded],
    ['something else', 'export default {};', `${'data-converter-invalid'}: mine.mjs: expected an object with payload`],
    ['nothing', '', `${'data-converter-invalid'}: mine.mjs: expected an object with payloadConverterPath or`],
  ])('with %s', async (_, content, message) => {
    const { said } = await start('--data-converter', content);
    expect(said).toContain(message);
  });
});

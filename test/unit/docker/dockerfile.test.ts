import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { commands } from '../../../cli/commands.js';
import { packageRoot } from '../../../tools/package-root.js';
import { parts } from '../../../tools/parts.js';
import { repositoryFile, sentToBuilder } from '../../support/docker-files.js';
import { lintDockerfile, parseDockerfile } from '../../support/dockerfile.js';

const text = repositoryFile('docker/Dockerfile');
const stages = parseDockerfile(text);
const [build, runtime] = stages;
const textsOf = (stage: typeof build, name: string): string[] =>
  (stage?.instructions ?? []).filter((instruction) => instruction.name === name).map((instruction) => instruction.text);
const isHere = (path: string): boolean => existsSync(join(packageRoot(), path));

describe('the Dockerfile', () => {
  it('keeps the rules', () => {
    expect(lintDockerfile(text)).toEqual([]);
  });

  it('builds in one stage and runs in another, both on the release of Node that .nvmrc names', () => {
    expect(stages).toHaveLength(2);
    expect(build?.image).toBe(runtime?.image);
    expect(build?.image).toMatch(new RegExp(`^node:${repositoryFile('.nvmrc').trim()}\\.`));
  });

  it('copies what exists and what the builder is sent, and all that is sent', () => {
    const copied = textsOf(build, 'COPY').flatMap((copy) => copy.split(' ').slice(0, -1));
    expect(copied.filter((path) => !isHere(path))).toEqual([]);
    expect(copied.toSorted()).toEqual(sentToBuilder().toSorted());
    expect(repositoryFile('.dockerignore').split('\n')).toContain('*');
  });

  it('takes from the build what the build has made or was given', () => {
    const paths = textsOf(runtime, 'COPY').map((copy) => /--from=build .*?(\/\S+) \S+$/.exec(copy)?.[1] ?? copy);
    const made = ['/app/dist', '/app/node_modules', '/opt/nightstill'];
    const given = ['/app/package.json', '/app/tools'];
    expect(paths.toSorted()).toEqual([...made, ...given].toSorted());
    expect(given.filter((path) => !isHere(path.replace('/app/', '')))).toEqual([]);
  });

  it('runs commands that there are, and a set-up that fails the build when it brings no TensorFlow', () => {
    const used = [...text.matchAll(/cli\/main\.js (\w+)(?: (\w+))?/g)].map(([, verb, word]) => [verb, word]);
    expect(used).toEqual([['setup', 'tensorflow']]);
    expect(parts.map(({ name }) => name)).toContain('tensorflow');
    const [entry = ''] = textsOf(runtime, 'ENTRYPOINT');
    const [verb] = JSON.parse(textsOf(runtime, 'CMD')[0] ?? '[]') as string[];
    expect(JSON.parse(entry)).toEqual(['node', '/app/dist/cli/main.js']);
    expect(commands.map(({ name }) => name)).toEqual(expect.arrayContaining(['setup', verb]));
    expect(textsOf(build, 'RUN').find((run) => run.includes('main.js setup'))).toContain('&& test -f');
  });

  it('looks for TensorFlow at run time where and as set-up has built it', () => {
    const variables = (stage: typeof build) =>
      textsOf(stage, 'ENV').flatMap((line) => line.split(' ').filter((word) => word.startsWith('NIGHTSTILL_')));
    expect(variables(runtime)).toEqual(variables(build));
    expect(variables(runtime)).toEqual(['NIGHTSTILL_CACHE=/opt/nightstill', 'NIGHTSTILL_TENSORFLOW_BUILD=cpu']);
  });

  it('installs the packages of the lockfile, and those for development in the build alone', () => {
    const runs = textsOf(build, 'RUN').filter((run) => run.includes('npm ci'));
    expect(runs.at(-1)).toMatch(/npm ci --omit=dev$/);
    expect(textsOf(runtime, 'RUN').join()).not.toContain('npm');
  });
});

describe('the manifest of the image', () => {
  it('has what a worker needs of Temporal, as the tests have it, and leaves everything else as it is', () => {
    const directory = mkdtempSync(join(tmpdir(), 'nightstill-manifest-'));
    writeFileSync(join(directory, 'package.json'), repositoryFile('package.json'));
    execFileSync(process.execPath, [join(packageRoot(), 'docker/worker-manifest.mjs')], { cwd: directory });
    const before = JSON.parse(repositoryFile('package.json'));
    const after = JSON.parse(readFileSync(join(directory, 'package.json'), 'utf8'));
    rmSync(directory, { recursive: true });
    const moved = ['activity', 'client', 'common', 'worker', 'workflow'].map((name) => `@temporalio/${name}`);
    for (const name of moved) expect(after.dependencies[name]).toBe(before.devDependencies[name]);
    expect({ ...after.devDependencies, ...after.dependencies }).toEqual({
      ...before.devDependencies,
      ...before.dependencies,
    });
    expect(Object.keys(after.dependencies)).toHaveLength(Object.keys(before.dependencies).length + moved.length);
  });
});

describe('the rules for a Dockerfile', () => {
  const good = 'FROM node:22.1.0-slim\nUSER node\nCMD ["node"]\n';

  it('find nothing in a good one', () => {
    expect(lintDockerfile(good)).toEqual([]);
  });

  it.each([
    ['an image without a release', good.replace(':22.1.0-slim', ''), 'pinned'],
    ['the image of the day', good.replace('22.1.0-slim', 'latest'), 'pinned'],
    ['a release that moves', good.replace('22.1.0-slim', '22-slim'), 'pinned'],
    ['no user', good.replace('USER node\n', ''), 'root'],
    ['root as its user', good.replace('USER node', 'USER 0:0'), 'root'],
    ['root in the end', good.replace('CMD', 'USER root\nCMD'), 'root'],
    ['work after its user is set', good.replace('CMD', 'RUN true\nCMD'), 'after USER'],
    ['what ADD brings', good.replace('USER', 'ADD https://example.org/a.tgz /\nUSER'), 'COPY'],
    ['an entry in the form of a shell', good.replace('["node"]', 'node'), 'JSON form'],
    ['a secret', good.replace('USER', 'ENV API_KEY=abc\nUSER'), 'secret'],
    ['a download', good.replace('USER', 'RUN curl -O https://example.org\nUSER'), 'digest'],
    ['packages beside the lockfile', good.replace('USER', 'RUN npm install left-pad\nUSER'), 'npm ci'],
    [
      'lists of packages',
      good.replace('USER', 'RUN apt-get update && \\\n apt-get install --yes --no-install-recommends g++\nUSER'),
      'line 2: RUN: apt lists',
    ],
    [
      'recommended packages',
      good.replace('USER', 'RUN apt-get update && apt-get install --yes g++ && rm -rf /var/lib/apt/lists/*\nUSER'),
      '--no-install-recommends',
    ],
  ])('find %s', (_, bad, words) => {
    expect(lintDockerfile(bad)).toEqual([expect.stringContaining(words)]);
  });

  it('read continued lines as one, past comments between them', () => {
    const [stage] = parseDockerfile('FROM a:1.0.0 AS b\nRUN one \\\n  # why\n  && two\n');
    expect(stage).toEqual({
      image: 'a:1.0.0',
      name: 'b',
      instructions: [{ name: 'RUN', text: 'one && two', line: 2 }],
    });
    expect(() => parseDockerfile('RUN a\n')).toThrow('expected FROM');
    expect(() => parseDockerfile('FROM a:1.0.0\nRUN a \\\n')).toThrow('expected an end');
  });
});

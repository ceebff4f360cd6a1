/** Names of models in a directory and on a real S3 server, by way of the client and of the command line. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { findModel, listModels, promoteModel, rollbackModel } from '../../client/index.js';
import { storeModelDirectory } from '../../distillation/index.js';
import { putArtifact } from '../../storage/artifacts.js';
import { putBlob } from '../../storage/blobs.js';
import { digestOf, findArtifact, openObjectStore, readArtifact, type Digest } from '../../storage/index.js';
import { modelDirectory } from '../support/model-directories.js';
import { nightstill } from '../support/nightstill.js';
import { claim, stageKeyOf } from '../support/stage.js';
import { openPlace, placeKinds, type StorePlace } from '../support/store-place.js';
import { temporaryDirectory } from '../support/temporary.js';

describe.each(placeKinds)('models in %s', (kind) => {
  let place: StorePlace;
  let url: string;
  beforeAll(async () => {
    place = await openPlace(kind);
    url = place.url;
  });
  afterAll(() => place.close());

  let names = 0;
  let name = '';
  beforeEach(() => {
    names += 1;
    name = `support-${names}`;
  });

  /** An artifact of the kind model; what lies in it is nobody's business here. */
  async function model(content: string, kindOfArtifact = 'model'): Promise<Digest> {
    const blob = await putBlob(place.store, Buffer.from(content));
    return (await putArtifact(place.store, { kind: kindOfArtifact, parts: [blob], meta: {} })).digest;
  }
  const promote = async (content: string, more: object = {}) =>
    promoteModel({ store: url, name, digest: await model(content), reason: `for ${content}`, actor: 'ann', ...more });
  const asUser = (...words: readonly string[]) =>
    nightstill([...words, '--store', url], { PATH: process.env['PATH'], ...place.environment });

  it('are listed with who moved them there, when and why, and with what served before', async () => {
    await promote('one');
    await promote('two');
    const [first, second] = [await model('one'), await model('two')];
    const found = (await listModels({ store: url })).find((each) => each.name === name);
    expect(found).toMatchObject({
      alias: 'champion',
      counter: 2,
      current: { digest: second, reason: 'for two', actor: 'ann', bytes: 3 },
      history: [{ digest: first, reason: 'for one' }],
    });
    expect(Date.parse(found?.current.movedAt ?? '')).toBeLessThanOrEqual(Date.now());
    expect(await findModel({ store: url, name })).toEqual(found);
    expect(await findModel({ store: url, name, alias: 'anchor' })).toBeUndefined();
  });

  it('of two promotions at once that saw the same champion one wins, and the other changes nothing', async () => {
    const seen = (await promote('one')).current;
    const contenders = await Promise.allSettled(['two', 'three'].map((each) => promote(each, { expected: seen })));
    const won = contenders.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
    const lost = contenders.flatMap((each) => (each.status === 'rejected' ? [each.reason as unknown] : []));
    expect(lost).toEqual([expect.objectContaining({ code: 'champion-moved' })]);
    expect(won).toEqual([await findModel({ store: url, name })]);
    expect(won[0]).toMatchObject({ counter: 2, history: [{ digest: seen.digest }] });
  });

  it('that were moved away and back are told from those that were not moved', async () => {
    const seen = await promote('one');
    await promote('two');
    await promote('one');
    const expected = { digest: seen.current.digest, counter: seen.counter };
    await expect(promote('three', { expected })).rejects.toMatchObject({ code: 'champion-moved' });
    await expect(promote('three', { expected: null })).rejects.toMatchObject({ code: 'champion-moved' });
    expect(await promote('three', { expected: { digest: seen.current.digest } })).toMatchObject({ counter: 4 });
  });

  it('that were rolled back are refused until somebody names them as such', async () => {
    await promote('one');
    await promote('two');
    const back = await rollbackModel({ store: url, name, reason: 'it answered nonsense', actor: 'bob' });
    expect(back).toMatchObject({
      current: { digest: await model('one'), reason: 'it answered nonsense', actor: 'bob' },
      refused: [await model('two')],
    });
    await expect(promote('two')).rejects.toMatchObject({ code: 'digest-refused' });
    expect(await promote('two', { evenIfRefused: true })).toMatchObject({ refused: [] });
  });

  it('must be in the store, whole, and models', async () => {
    const digests = [digestOf('nothing'), 'latest', await model('rows', 'dataset')];
    const { digest: plain } = await putBlob(place.store, Buffer.from('no index'));
    const damaged = await model('lost part');
    const found = await findArtifact(place.store, damaged);
    const index = found && (await readArtifact(place.store, found));
    await place.store.remove(`blobs/sha256/${(index?.parts[0]?.digest ?? '').slice(7)}`);
    for (const digest of [...digests, plain, damaged])
      await expect(promoteModel({ store: url, name, digest, reason: '' })).rejects.toMatchObject({
        code: 'model-missing',
      });
    expect(await findModel({ store: url, name })).toBeUndefined();
  });

  if (kind === 'a directory')
    // A process for each line: one store is enough, the two were compared by the client.
    it('are shown first and moved with --yes, as JSON or for people, with the documented exit status', async () => {
      const [one, two] = [await model('one'), await model('two')];
      const dry = await asUser('models', 'promote', name, '--digest', one);
      expect(dry.status).toBe(0);
      expect(dry.standardOutput).toBe(
        `${name}/champion\n  from  nothing\n  to    ${one}\n\nNothing was moved. With --yes it is.\n`,
      );
      expect(await findModel({ store: url, name })).toBeUndefined();

      const done = await asUser('models', 'promote', name, '--digest', one, '--yes', '--reason', 'first', '--json');
      expect(JSON.parse(done.standardOutput)).toMatchObject({ name, current: { digest: one, reason: 'first' } });
      expect((await asUser('models', 'promote', name, '--digest', two, '--yes', '--expect', one)).status).toBe(0);
      const late = await asUser('models', 'promote', name, '--digest', two, '--yes', '--expect', one);
      expect(late).toMatchObject({ status: 1, standardError: expect.stringMatching(/^champion-moved: /m) as string });

      const wouldRollBack = await asUser('models', 'rollback', name, '--json');
      expect(JSON.parse(wouldRollBack.standardOutput)).toMatchObject({ from: two, to: one, moved: false });
      expect((await asUser('models', 'rollback', name, '--yes')).status).toBe(0);
      const again = await asUser('models', 'rollback', name, '--yes');
      expect(again).toMatchObject({ status: 2, standardError: expect.stringMatching(/^alias-missing: /m) as string });
      const refused = await asUser('models', 'promote', name, '--digest', two, '--yes');
      expect(refused).toMatchObject({
        status: 2,
        standardError: expect.stringMatching(/^digest-refused: /m) as string,
      });

      const listed = await asUser('models', 'list', `${name}/champion`);
      expect(listed.standardOutput).toMatch(new RegExp(`^${name}/champion  ${one}\n[^]*rolled back by hand`));
      expect(listed.standardOutput).toContain(`refused since it was rolled back: ${two}`);
      const json = JSON.parse((await asUser('models', 'list', name, '--json')).standardOutput);
      expect(json).toEqual([await findModel({ store: url, name })]);
      expect((await asUser('models', 'list', 'nobody')).standardOutput).toMatch(/nothing was promoted yet/);
      for (const words of [['models'], ['models', 'promote'], ['models', 'promote', name], ['models', 'dance', name]])
        expect((await asUser(...words)).status).toBe(2);
    });

  it('are exported by their name', async () => {
    const { store } = place;
    const { digest } = await storeModelDirectory(pathToFileURL(modelDirectory()).href, {
      store,
      writer: await claim(store, stageKeyOf(name)),
      signal: new AbortController().signal,
      onProgress: () => undefined,
    });
    await promoteModel({ store: url, name, digest, reason: 'whole' });
    const target = join(temporaryDirectory(), 'exported');
    const { status, standardError } = await asUser('export', `${name}/champion`, target);
    expect({ status, standardError }).toMatchObject({ status: 0 });
    expect(existsSync(join(target, 'config.json'))).toBe(true);
  });
});

it('a store that is only read needs no permission to write', async () => {
  const directory = temporaryDirectory();
  const store = await openObjectStore(`file://${directory}`);
  await store.close();
  expect(await listModels({ store: `file://${directory}` })).toEqual([]);
});

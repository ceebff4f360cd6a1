/** Saves that fail: what was not durable is saved again, of the same parts, and nobody is told that it was when it was not. */
import { pathToFileURL } from 'node:url';
import { openObjectStore, PacedSaves, type ObjectStore } from '../../../storage/index.js';
import { intercept, type Hooks, type StoreCall } from '../../support/intercepted-store.js';
import { claim, stageKeyOf } from '../../support/stage.js';
import { temporaryDirectory } from '../../support/temporary.js';

const writes = (prefix: string, { operation, key }: StoreCall): boolean =>
  operation.startsWith('put') && key.startsWith(prefix);

/** Fails at the first such write once it is armed, or at every one. */
class Fault {
  #armed: 'no' | 'once' | 'always' = 'no';

  constructor(private readonly prefix: string) {}

  arm(how: 'once' | 'always'): void {
    this.#armed = how;
  }

  readonly strike = (call: StoreCall): void => {
    if (this.#armed === 'no' || !writes(this.prefix, call)) return;
    if (this.#armed === 'once') this.#armed = 'no';
    throw new Error('no space left');
  };
}

let plain: ObjectStore;
beforeAll(async () => {
  plain = await openObjectStore(pathToFileURL(temporaryDirectory()).href, { forWriting: true });
});
afterAll(() => plain.close());

const atPart = (parts: number) => ({ parts, state: { parts }, references: [] });

it.each<[string, string, keyof Hooks]>([
  ['before the manifest is written', 'checkpoints/', 'before'],
  ['once the manifest is written', 'checkpoints/', 'after'],
  ['before the head is moved', 'heads/', 'before'],
  ['once the head is moved', 'heads/', 'after'],
])('a save that fails %s is made again, of the same parts', async (when, prefix, hook) => {
  const fault = new Fault(prefix);
  const stageKey = stageKeyOf(when);
  const writer = await claim(intercept(plain, { [hook]: fault.strike }), stageKey);
  const saves = new PacedSaves(writer, 0);
  await saves.saveNow(atPart(1));
  fault.arm('once');
  await expect(saves.saveNow(atPart(2))).rejects.toThrow('no space left');
  expect(saves.durable).toBe(1);
  await saves.saveNow(atPart(2));
  await saves.saveNow(atPart(3));
  expect(saves.durable).toBe(3);
  expect(await (await claim(plain, stageKey, 2)).restore()).toMatchObject({
    step: 3,
    state: { parts: 3 },
    damaged: [],
  });
});

it('what is under way and fails is made again before anybody is told that it is durable', async () => {
  const fault = new Fault('checkpoints/');
  const writer = await claim(intercept(plain, { before: fault.strike }), stageKeyOf('under way'));
  const saves = new PacedSaves(writer, 0);
  fault.arm('once');
  saves.save(atPart(1));
  await saves.saveNow(atPart(1));
  expect(saves.durable).toBe(1);
  fault.arm('always');
  saves.save(atPart(2));
  await expect(saves.saveNow(atPart(2))).rejects.toThrow('no space left');
  expect([saves.durable, saves.due]).toEqual([1, true]);
});

it('a stage may be sealed after a save that failed once the head was moved', async () => {
  const fault = new Fault('heads/');
  const writer = await claim(intercept(plain, { after: fault.strike }), stageKeyOf('sealed after'));
  fault.arm('once');
  await expect(writer.save({ step: 1, state: null }).durable).rejects.toThrow('no space left');
  const outcome = { preimage: {}, outputs: {}, facts: {}, observations: {}, reproducible: true };
  expect((await writer.seal(outcome)).outcome).toMatchObject({ facts: {} });
});

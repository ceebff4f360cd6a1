import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { exerciseOf } from '../../../../distillation/training/kinds.js';
import type { Lesson } from '../../../../distillation/training/lesson.js';
import { openTokenizer } from '../../../../engine/index.js';
import { openObjectStore, type ArtifactRef } from '../../../../storage/index.js';
import { copyModel } from '../../../support/model-fixtures.js';
import { claim, stageKeyOf } from '../../../support/stage.js';
import { temporaryDirectory } from '../../../support/temporary.js';

let student: string;
beforeAll(async () => {
  student = await copyModel('qwen3-qknorm', temporaryDirectory());
});

/** The lesson of a distillation with these inputs, where a teacher lies in this directory. */
async function lessonOf(names: readonly string[], teacher: string): Promise<Lesson> {
  const store = await openObjectStore(pathToFileURL(temporaryDirectory()).href, { forWriting: true });
  const writer = await claim(store, stageKeyOf('inputs'));
  const artifact: ArtifactRef = await writer.putArtifact({ kind: 'model', parts: [], meta: {} });
  return exerciseOf('distill', {}).lesson({
    store,
    inputs: Object.fromEntries(names.map((name) => [name, artifact])),
    fetch: () => Promise.resolve(teacher),
    tokenizer: await openTokenizer(student),
    vocabularySize: 1024,
    cacheDirectory: temporaryDirectory(),
    alive: () => undefined,
  });
}

describe('a distillation', () => {
  it.each([
    ['none', []],
    ['both', ['teacher', 'logits']],
  ])('learns from a teacher or from logits: %s is refused', async (found, names) => {
    await expect(lessonOf(names, student)).rejects.toMatchObject({
      code: 'plan-invalid',
      message: expect.stringContaining(`found ${found}`),
    });
  });

  it('learns from a teacher of its own tokenizer, whatever its size', async () => {
    const teacher = await copyModel('qwen2-gqa-tied', temporaryDirectory());
    const lesson = await lessonOf(['teacher'], teacher);
    expect(lesson.objective.vocabularySize).toBe(1024);
    expect(await lesson.frozen?.('teacher/model.norm.weight', 0, 64)).toHaveLength(64);
    await lesson.close();
  });

  it('refuses a teacher of another tokenizer', async () => {
    const teacher = await copyModel('qwen2-gqa-tied', temporaryDirectory());
    const file = join(teacher, 'tokenizer.json');
    const tokenizer = JSON.parse(await readFile(file, 'utf8')) as { readonly normalizer: unknown };
    const normalizer = tokenizer.normalizer === null ? { type: 'NFC' } : null;
    await writeFile(file, JSON.stringify({ ...tokenizer, normalizer }));
    await expect(lessonOf(['teacher'], teacher)).rejects.toMatchObject({ code: 'teacher-mismatch' });
  });
});

it('a kind that does not train is no exercise', () => {
  expect(() => exerciseOf('import', {})).toThrow(expect.objectContaining({ code: 'plan-invalid' }));
});

import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { openStudent } from '../../../../distillation/training/student.js';
import { copyModel } from '../../../support/model-fixtures.js';
import { temporaryDirectory } from '../../../support/temporary.js';

let model: string;
beforeAll(async () => {
  model = await copyModel('qwen3-qknorm', temporaryDirectory());
});

const norm = 'model.layers.0.input_layernorm.weight';
const second = 'model.layers.1.mlp.up_proj.weight';

describe('a student begins', () => {
  it('as the model that is given', async () => {
    const student = await openStudent('given', { model }, 0);
    expect(student.config.layers).toBe(2);
    expect(student.tokenizerDirectory).toBe(model);
    expect(await student.weights(norm, 0, 32)).toHaveLength(32);
    await student.close();
  });

  it('as layers of its teacher, by name or every n-th', async () => {
    const given = await openStudent('given', { model }, 0);
    for (const layers of [[1], { every: 2 }]) {
      const student = await openStudent({ layers }, { teacher: model }, 0);
      expect(student.config.layers).toBe(1);
      const own = await student.weights('model.layers.0.mlp.up_proj.weight', 0, 1);
      const source = Array.isArray(layers) ? second : 'model.layers.0.mlp.up_proj.weight';
      expect(own).toEqual(await given.weights(source, 0, 1));
      await student.close();
    }
    await given.close();
  });

  it('with random weights by the seed, of a configuration that has none', async () => {
    const bare = await copyModel('qwen3-qknorm', temporaryDirectory());
    await rm(join(bare, 'model.safetensors'));
    const random = { random: { standardDeviation: 0.1 } };
    const weights = async (seed: number) => (await openStudent(random, { model: bare }, seed)).weights(second, 0, 1);
    expect(await weights(1)).toEqual(await weights(1));
    expect(await weights(1)).not.toEqual(await weights(2));
  });

  it('with the tokenizer of its teacher, where its configuration comes without one', async () => {
    const bare = await copyModel('qwen3-qknorm', temporaryDirectory());
    await rm(join(bare, 'tokenizer.json'));
    const start = { random: { standardDeviation: 0.1 } };
    expect((await openStudent(start, { model: bare, teacher: model }, 0)).tokenizerDirectory).toBe(model);
  });
});

describe('a student is refused', () => {
  it.each([
    ['when the model that it begins as is not given', 'given', {}, 'student-invalid', 'input model'],
    ['when its teacher is not given', { layers: [0] }, {}, 'student-invalid', 'input teacher'],
    ['when neither configuration is there', { random: { standardDeviation: 1 } }, {}, 'student-invalid', 'input model'],
  ] as const)('%s', async (_, start, models, code, message) => {
    const written = typeof start === 'object' && 'layers' in start ? { layers: [...start.layers] } : start;
    await expect(openStudent(written, models, 0)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message),
    });
  });

  it('when the teacher has not these layers', async () => {
    await expect(openStudent({ layers: [7] }, { teacher: model }, 0)).rejects.toMatchObject({
      code: 'student-invalid',
    });
  });

  it('when its weights are missing', async () => {
    const bare = await copyModel('qwen3-qknorm', temporaryDirectory());
    await rm(join(bare, 'model.safetensors'));
    await expect(openStudent('given', { model: bare }, 0)).rejects.toMatchObject({ code: 'model-file-missing' });
  });
});

import { execFileSync } from 'node:child_process';
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readGenerationConfig } from '../../../../engine/files/generation-config.js';
import { readModelConfig } from '../../../../engine/files/model-config.js';
import { openSafetensors } from '../../../../engine/files/safetensors.js';
import { openChatTemplate } from '../../../../engine/text/chat-template.js';
import { openTokenizer, readTokenizerConfig } from '../../../../engine/text/tokenizer.js';
import { temporaryDirectory } from '../../../support/temporary.js';

describe('a file of a model directory', () => {
  it('that is a pipe is refused, and nobody waits for it', async () => {
    const pipe = join(temporaryDirectory(), 'model.safetensors');
    execFileSync('mkfifo', [pipe]);
    await expect(openSafetensors(pipe)).rejects.toMatchObject({ code: 'model-file-missing' });
    await expect(readModelConfig(pipe)).rejects.toMatchObject({ code: 'model-file-missing' });
  });

  it('that is larger than such a file can be is refused before it is read', async () => {
    const directory = temporaryDirectory();
    const sparse = (name: string): string => {
      writeFileSync(join(directory, name), '');
      truncateSync(join(directory, name), 2 ** 31);
      return join(directory, name);
    };
    const atMost = (code: string) => ({ code, message: expect.stringContaining('bytes, found 2147483648') as string });
    await expect(readModelConfig(sparse('config.json'))).rejects.toMatchObject(atMost('model-config-invalid'));
    const index = sparse('model.safetensors.index.json');
    await expect(openSafetensors(index)).rejects.toMatchObject(atMost('safetensors-invalid'));
    sparse('tokenizer.json');
    await expect(openTokenizer(directory)).rejects.toMatchObject(atMost('tokenizer-invalid'));
    sparse('chat_template.jinja');
    await expect(openChatTemplate(directory)).rejects.toMatchObject(atMost('chat-template-invalid'));
  });

  it('that need not be there must be readable when it is: silence is not taken for absence', async () => {
    const directory = temporaryDirectory();
    const optional = ['generation_config.json', 'tokenizer_config.json', 'chat_template.jinja'];
    expect(await readGenerationConfig(join(directory, 'generation_config.json'))).toBeUndefined();
    expect(await readTokenizerConfig(directory)).toEqual({});
    const refused = { code: 'model-file-missing', message: expect.stringContaining('something else') as string };
    for (const name of optional) mkdirSync(join(directory, name));
    await expect(readGenerationConfig(join(directory, 'generation_config.json'))).rejects.toMatchObject(refused);
    await expect(readTokenizerConfig(directory)).rejects.toMatchObject(refused);
    const other = temporaryDirectory();
    mkdirSync(join(other, 'chat_template.jinja'));
    await expect(openChatTemplate(other)).rejects.toMatchObject(refused);
  });
});

import { readdir } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { openTokens, type TokenRequest } from '../../../../distillation/training/token-cache.js';
import { createConversationEncoder, openChatTemplate, openTokenizer } from '../../../../engine/index.js';
import { openObjectStore } from '../../../../storage/index.js';
import { conversationLines, copyModel } from '../../../support/model-fixtures.js';
import { claim, stageKeyOf } from '../../../support/stage.js';
import { temporaryDirectory } from '../../../support/temporary.js';

const format = 'nightstill-messages-1';

async function request(lines: string, meta = { format }): Promise<TokenRequest> {
  const model = await copyModel('qwen3-qknorm', temporaryDirectory());
  const [tokenizer, template] = [await openTokenizer(model), await openChatTemplate(model)];
  const store = await openObjectStore(pathToFileURL(temporaryDirectory()).href, { forWriting: true });
  const writer = await claim(store, stageKeyOf('import'));
  // Two parts that are cut within a row.
  const bytes = Buffer.from(lines);
  const half = bytes.length >> 1;
  const parts = [await writer.putBlob(bytes.subarray(0, half)), await writer.putBlob(bytes.subarray(half))];
  return {
    store,
    dataset: await writer.putArtifact({ kind: 'dataset', parts, meta }),
    encoder: createConversationEncoder({ tokenizer, template }),
    maximumTokens: 64,
    tooLong: 'truncate',
    cacheDirectory: temporaryDirectory(),
    onRows: () => undefined,
  };
}

describe('the tokens of a dataset', () => {
  it('are made once: another process finds them there', async () => {
    const asked = await request(conversationLines(40));
    const seen: number[] = [];
    const first = await openTokens({ ...asked, onRows: (done) => seen.push(done) });
    await first.close();
    const again = await openTokens({ ...asked, onRows: () => seen.push(-1) });
    expect(again.digest).toBe(first.digest);
    expect(again.samples).toBe(40);
    expect(seen).toEqual([32]);
    await again.close();
  });

  it('are the same for processes that make them at the same time, and nothing partial is left', async () => {
    const asked = await request(conversationLines(40));
    const all = await Promise.all([openTokens(asked), openTokens(asked), openTokens(asked)]);
    expect(new Set(all.map(({ digest }) => digest)).size).toBe(1);
    expect(await readdir(asked.cacheDirectory)).toHaveLength(1);
    for (const each of all) await each.close();
  });

  it('are others for other settings', async () => {
    const asked = await request(conversationLines(40));
    for (const maximumTokens of [64, 128]) await (await openTokens({ ...asked, maximumTokens })).close();
    expect(await readdir(asked.cacheDirectory)).toHaveLength(2);
  });

  it('are not made of what is no dataset', async () => {
    const asked = await request(conversationLines(4), { format: 'nightstill-messages-9' });
    await expect(openTokens(asked)).rejects.toMatchObject({ code: 'artifact-invalid' });
    expect(await readdir(asked.cacheDirectory)).toEqual([]);
  });

  it('are not made of rows in which nothing is answered', async () => {
    const lines = `${JSON.stringify({ id: 'a', messages: [{ role: 'user', content: 'Is anybody there?' }] })}\n`;
    await expect(openTokens(await request(lines))).rejects.toMatchObject({ code: 'dataset-empty' });
  });
});

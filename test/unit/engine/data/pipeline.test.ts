/** From a file of conversations to batches, through every real part: rows, template, tokenizer, shards, packing. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { trainingSteps, type StreamSettings, type TrainingStep } from '../../../../engine/data/batches.js';
import { emptyCounts, readConversations } from '../../../../engine/data/conversations.js';
import { readRows } from '../../../../engine/data/rows.js';
import { openShards } from '../../../../engine/data/shard-reader.js';
import { writeShards } from '../../../../engine/data/shards.js';
import { openChatTemplate } from '../../../../engine/text/chat-template.js';
import { createConversationEncoder } from '../../../../engine/text/conversation-encoder.js';
import { openTokenizer } from '../../../../engine/text/tokenizer.js';
import { modelFixtures } from '../../../support/npy.js';
import { temporaryDirectory } from '../../../support/temporary.js';

const model = join(modelFixtures, 'qwen2-gqa-tied');
const maximumTokens = 160;

const ask = (content: string) => ({ role: 'user', content });
const answer = (content: string) => ({ role: 'assistant', content });
const records = [
  ...Array.from({ length: 9 }, (_, row) => ({
    id: `chat ${row}`,
    messages: [
      ask(`What is ${row} + ${row}?`),
      answer(`It is ${2 * row}.`),
      ask('And é 字 👩‍👧?'),
      answer('ß'.repeat(row + 1)),
    ],
  })),
  { id: 'alpaca', instruction: 'Say it.', input: 'hello', output: ' hello\n' },
  { id: 'plain', text: 'A text of its own.' },
  { id: 'tools', messages: [ask('x'), { role: 'tool', content: 'y' }] },
];

/** What is learned of each sample, by its id, as text; written down from the records, not from what is tested. */
const learned = new Map(
  records.slice(0, -1).map((record) => {
    if ('text' in record) return [record.id, 'A text of its own.<|endoftext|>'];
    if ('output' in record) return [record.id, ' hello\n<|im_end|>'];
    const answers = (record.messages ?? []).filter(({ role }) => role === 'assistant');
    return [record.id, answers.map(({ content }) => `${content}<|im_end|>`).join('')];
  }),
);

async function tokenised() {
  const directory = temporaryDirectory();
  const path = join(directory, 'night.jsonl');
  writeFileSync(path, records.map((record) => JSON.stringify(record)).join('\n'));
  const [tokenizer, template] = [await openTokenizer(model), await openChatTemplate(model)];
  const encoder = createConversationEncoder({ tokenizer, template, endOfText: '<|endoftext|>' });
  const counts = emptyCounts();
  const conversations = readConversations(readRows(path), { unusable: 'skip' }, counts);
  const statistics = await writeShards(join(directory, 'shards'), conversations, encoder, {
    maximumTokens,
    tooLong: 'refuse',
    shardBytes: 600,
  });
  return { tokenizer, template, counts, statistics, shards: await openShards(join(directory, 'shards')) };
}

async function collect(steps: AsyncIterable<TrainingStep>): Promise<TrainingStep[]> {
  const all: TrainingStep[] = [];
  for await (const step of steps) all.push(step);
  return all;
}

const settings: StreamSettings = { seed: 7, epochs: 2, rows: 2, columns: maximumTokens, microBatches: 2, window: 8 };

describe('conversations of a file', () => {
  test('are learned as the answers that stand in it, each with its end, once an epoch', async () => {
    const { tokenizer, counts, statistics, shards } = await tokenised();
    expect(counts).toEqual({ rows: 12, conversations: 11, skipped: { 'tool-message': 1 }, unreadFields: {} });
    expect(statistics).toMatchObject({ samples: 11, untrained: 0, truncated: 0 });
    const seen: [string, string][] = [];
    for (const { microBatches } of await collect(trainingSteps(shards, settings)))
      for (const { labels, weights, placements, columns } of microBatches)
        for (const { row, start, sample } of placements) {
          const from = row * columns + start;
          const taught = labels
            .subarray(from, from + sample.ids.length)
            .filter((_, position) => weights[from + position] === 1);
          seen.push([sample.id, tokenizer.decode(taught)]);
        }
    await shards.close();
    const byId = ([a]: [string, string], [b]: [string, string]) => a.localeCompare(b);
    // The first token of a plain text is predicted by nothing.
    const expected = [...learned].map(([id, text]): [string, string] => [id, id === 'plain' ? text.slice(1) : text]);
    expect(seen.toSorted(byId)).toEqual([...expected, ...expected].toSorted(byId));
  });

  test('stand in the batches as the template renders them', async () => {
    const { tokenizer, template, shards } = await tokenised();
    const rendered = new Map(
      records.flatMap((record) =>
        'messages' in record && record.messages !== undefined && record.id !== 'tools'
          ? [[record.id, template.render(record.messages, { addGenerationPrompt: false })]]
          : [],
      ),
    );
    const [step] = await collect(trainingSteps(shards, { ...settings, epochs: 1, microBatches: 100 }));
    const placed = (step?.microBatches ?? []).flatMap(({ ids, columns, placements }) =>
      placements.map(({ row, start, sample }): [string, string] => {
        const from = row * columns + start;
        return [sample.id, tokenizer.decode(ids.subarray(from, from + sample.ids.length))];
      }),
    );
    await shards.close();
    expect(new Map(placed.filter(([id]) => rendered.has(id)))).toEqual(rendered);
  });

  test('tokenised anew, go on from a cursor of before with the same bytes', async () => {
    const first = await tokenised();
    const steps = await collect(trainingSteps(first.shards, settings));
    await first.shards.close();
    const cursor: unknown = JSON.parse(JSON.stringify(steps[1]?.cursorAfter(1)));
    const second = await tokenised();
    const [next, ...later] = await collect(trainingSteps(second.shards, settings, cursor));
    await second.shards.close();
    expect(next?.firstMicroBatch).toBe(1);
    expect([next, ...later].map((step) => step?.microBatches)).toEqual(steps.slice(1).map((step) => step.microBatches));
  });
});

/** Which rows of a training are asked. */
import { sampleItems, type ItemRow } from '../../../evaluation/evaluate/items.js';

async function* each(rows: readonly ItemRow[]): AsyncGenerator<ItemRow> {
  for (const row of rows) yield await Promise.resolve(row);
}

const row = (number: number): ItemRow => ({
  id: `row-${number}`,
  messages: [
    { role: 'user', content: `question ${number}` },
    { role: 'assistant', content: `answer ${number}` },
  ],
});
const rows = Array.from({ length: 3000 }, (_, number) => row(number));
const idsOf = async (of: readonly ItemRow[], size: number) => (await sampleItems(each(of), size)).map(({ id }) => id);

it('a sample is the same for the same rows in any order, and a smaller one is part of it', async () => {
  const sample = await idsOf(rows, 100);
  expect(new Set(sample).size).toBe(100);
  expect(await idsOf(rows.toReversed(), 100)).toEqual(sample);
  expect(await idsOf(rows, 20)).toEqual(sample.slice(0, 20));
  expect(sample).not.toEqual(rows.slice(0, 100).map(({ id }) => id));
});

it('a sample has no more items than rows, one for each id, and none without an answer', async () => {
  const bare: ItemRow = { id: 'bare', messages: [{ role: 'user', content: 'why?' }] };
  const few = [row(1), bare, row(2), row(1)];
  expect((await idsOf(few, 200)).toSorted()).toEqual(['row-1', 'row-2']);
  const [item] = await sampleItems(each([row(1)]), 1);
  expect(item).toMatchObject({ reference: 'answer 1', messages: [{ content: 'question 1' }] });
  await expect(sampleItems(each([bare]), 3)).rejects.toMatchObject({ code: 'dataset-empty' });
});

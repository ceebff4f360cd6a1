import { firstFree } from '../../../distillation/import-work.js';
import { RowIds } from '../../../distillation/row-ids.js';

describe('row ids', () => {
  it('name the line that has an id already', () => {
    const ids = new RowIds();
    for (let line = 1; line <= 5000; line += 1) expect(ids.add(`row ${line}`, line)).toBeUndefined();
    expect(ids.add('row 1', 5001)).toBe(1);
    expect(ids.add('row 4999', 5001)).toBe(4999);
    expect([ids.has('row 5000'), ids.has('row 5001')]).toEqual([true, false]);
  });

  it('are taken up again from the pieces they were handed out in', () => {
    const ids = new RowIds();
    const restored = new RowIds();
    for (let piece = 0; piece < 3; piece += 1) {
      for (let row = 0; row < 1000; row += 1) ids.add(`${piece}/${row}`, piece * 1000 + row + 1);
      restored.restore(ids.takeAdded());
    }
    expect(ids.takeAdded()).toHaveLength(0);
    expect(restored.add('2/7', 9999)).toBe(2008);
    expect(restored.add('3/0', 9999)).toBeUndefined();
  });

  it('are refused when they are not what was handed out', () => {
    const ids = new RowIds();
    ids.add('a', 1);
    const entry = ids.takeAdded();
    expect(() => new RowIds().restore(entry.subarray(1))).toThrow(expect.objectContaining({ code: 'record-invalid' }));
    expect(() => ids.restore(entry)).toThrow(expect.objectContaining({ code: 'record-invalid' }));
  });
});

describe('the number behind the id of a row that occurs again', () => {
  it('is the next one, found without asking for every number', () => {
    const taken = new Set<string>();
    let asked = 0;
    const isTaken = (id: string): boolean => {
      asked += 1;
      return taken.has(id);
    };
    for (let row = 1; row <= 1000; row += 1) {
      const id = firstFree('x', isTaken);
      expect(id).toBe(row === 1 ? 'x' : `x-${row}`);
      taken.add(id);
    }
    expect(asked).toBeLessThan(25_000);
  });
});

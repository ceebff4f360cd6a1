import fc from 'fast-check';
import { clampRange, validateRange } from '../../../storage/byte-range.js';
import { isValidKey, mayBeginKey, validateKey } from '../../../storage/keys.js';

const segment = fc.stringMatching(/^[A-Za-z0-9._=-]{1,20}$/).filter((text) => text !== '.' && text !== '..');
const key = fc.array(segment, { minLength: 1, maxLength: 8 }).map((segments) => segments.join('/'));

describe('keys', () => {
  it('any string is a key or refused with a code, and its length does not flood the message', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: 'binary', maxLength: 2000 })), (text) => {
        if (isValidKey(text)) return validateKey(text);
        expect(() => validateKey(text)).toThrow(expect.objectContaining({ code: 'object-key-invalid' }));
        try {
          validateKey(text);
        } catch (error) {
          expect(String(error).length).toBeLessThan(1000);
        }
      }),
    );
  });

  it('segments of legal characters make a key, and so does each beginning of it', () => {
    fc.assert(
      fc.property(key, fc.nat(), (text, length) => {
        expect(isValidKey(text)).toBe(true);
        expect(mayBeginKey(text.slice(0, length % (text.length + 1)))).toBe(true);
      }),
    );
  });

  it('no key leaves the directory it is joined to', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom('.', '/', 'a', '\\', '\0', '%', '2', 'e') }), (text) => {
        if (isValidKey(text))
          expect(text.split('/').every((part) => /^[a.2e]+$/.test(part) && !/^\.\.?$/.test(part))).toBe(true);
      }),
    );
  });
});

describe('ranges', () => {
  it('any two numbers are a range inside the object or refused with a code', () => {
    const number = fc.oneof(fc.integer({ min: -5, max: 50 }), fc.double());
    fc.assert(
      fc.property(number, number, fc.nat({ max: 40 }), (start, end, bytes) => {
        try {
          validateRange('a', { start, end });
          const clamped = clampRange('a', { start, end }, bytes);
          expect(clamped.start).toBe(start);
          expect(clamped.end).toBe(Math.min(end, bytes));
          expect(clamped.end).toBeGreaterThan(clamped.start);
        } catch (error) {
          expect(error).toMatchObject({ code: 'object-range-invalid' });
        }
      }),
    );
  });
});

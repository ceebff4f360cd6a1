import fc from 'fast-check';
import { hasCode } from '../../../config/errors.js';
import { canonicalJson, parseJson, type Json } from '../../../storage/canonical-json.js';
import { digestOf, parseDigest } from '../../../storage/digest.js';
import { headKind, type Head } from '../../../storage/head.js';
import { isValidKey } from '../../../storage/keys.js';
import { runKey, segmentOf } from '../../../storage/layout.js';
import { manifestKind, type Manifest } from '../../../storage/manifest.js';
import { decodeRecord, encodeRecord, type RecordKind } from '../../../storage/record.js';

const stageKey = 'ab'.repeat(32);
const reference = { key: 'checkpoints/x', digest: digestOf('x'), step: 3, fence: 2 };
const head: Head = {
  stageKey,
  counter: 4,
  operationId: 'b',
  operations: ['a'],
  fence: 2,
  claim: 'a',
  owner: { workflowId: 'w', runId: 'r', activityId: 'i', attempt: 1 },
  manifest: reference,
  previous: null,
  sealed: false,
};
const manifest: Manifest = {
  stageKey,
  step: 3,
  fence: 2,
  parent: null,
  state: { cursor: 5 },
  groups: [
    {
      packBytes: 16,
      chunkBytes: 4,
      packs: [{ digest: digestOf('p'), bytes: 5, chunks: [digestOf('c'), digestOf('d')] }],
      arrays: { weights: [0, 5] },
    },
  ],
  references: [{ digest: digestOf('b'), bytes: 7 }],
  outcome: null,
};

/** Only coded errors may come out of a parser of untrusted bytes. */
function codeOf(parse: () => unknown): string {
  try {
    parse();
    return 'parsed';
  } catch (error) {
    if (hasCode(error)) return error.code;
    throw error;
  }
}

const records: [string, RecordKind<Head> | RecordKind<Manifest>, Uint8Array][] = [
  ['head', headKind, encodeRecord(headKind, head)],
  ['manifest', manifestKind, encodeRecord(manifestKind, manifest)],
];
const decode = (kind: RecordKind<Head> | RecordKind<Manifest>, bytes: Uint8Array): unknown =>
  kind.kind === 'head' ? decodeRecord(headKind, bytes, 'r') : decodeRecord(manifestKind, bytes, 'r');

describe.each(records)('a %s record', (_, kind, encoded) => {
  it('comes back as it was written', () => {
    expect(decode(kind, encoded)).toEqual(kind.kind === 'head' ? head : manifest);
  });

  it('any one flipped bit is record-invalid', () => {
    for (let bit = 0; bit < encoded.length * 8; bit += 1) {
      const flipped = Uint8Array.from(encoded);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect([bit, codeOf(() => decode(kind, flipped))]).toEqual([bit, 'record-invalid']);
    }
  });

  it('cut anywhere is record-invalid', () => {
    for (let bytes = 0; bytes < encoded.length; bytes += 1)
      expect(codeOf(() => decode(kind, encoded.subarray(0, bytes)))).toBe('record-invalid');
  });

  it('arbitrary bytes give a coded error, never another exception', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => codeOf(() => decode(kind, bytes)) === 'record-invalid'),
      { seed: 7, numRuns: 2000 },
    );
  });

  it('any JSON in a sound envelope gives a coded error or a record', () => {
    const envelope = (content: Record<string, unknown>): Uint8Array => {
      const body = { ...content, kind: kind.kind, version: kind.version } as Record<string, Json>;
      return Buffer.from(canonicalJson({ ...body, check: digestOf(canonicalJson(body)) }));
    };
    const known = JSON.parse(Buffer.from(encoded).toString()) as Record<string, unknown>;
    const mutation = fc.tuple(fc.constantFrom(...Object.keys(known)), fc.jsonValue());
    fc.assert(
      fc.property(fc.array(mutation, { maxLength: 4 }), (mutations) => {
        const { check: _check, ...content } = { ...known, ...Object.fromEntries(mutations) } as Record<string, unknown>;
        return ['record-invalid', 'parsed'].includes(codeOf(() => decode(kind, envelope(content))));
      }),
      { seed: 8, numRuns: 2000 },
    );
  });
});

describe('records', () => {
  it.each([
    ['a step that is no whole number', { ...manifest, step: 1.5 }],
    ['a hole in an array', { ...manifest, state: { losses: Object.assign<Json[], object>([], { length: 2 }) } }],
    ['a key that JavaScript would lose', { ...manifest, state: JSON.parse('{"__proto__": 1}') as Json }],
    ['an array beyond its packs', { ...manifest, groups: [{ ...manifest.groups[0]!, arrays: { weights: [1, 5] } }] }],
  ] as [string, Manifest][])('are not written with %s', (_what, unreadable) => {
    const comesBack = (): unknown => decodeRecord(manifestKind, encodeRecord(manifestKind, unreadable), 'r');
    const code = codeOf(comesBack);
    if (code === 'parsed') expect(canonicalJson(comesBack() as Json)).toBe(canonicalJson(unreadable as Json));
    else expect(code).toBe('record-invalid');
  });

  it('of a newer version are told from damaged ones', () => {
    const newer = encodeRecord({ ...headKind, version: 99 }, head);
    expect(codeOf(() => decodeRecord(headKind, newer, 'r'))).toBe('record-version-unknown');
  });

  it('keep keys that this release does not know', () => {
    const extended = { ...head, learnedLater: { deep: [1, null] }, owner: { ...head.owner, host: 'h' } };
    const read = decodeRecord(headKind, encodeRecord(headKind, extended), 'r');
    expect(decodeRecord(headKind, encodeRecord(headKind, { ...read, counter: 5 }), 'r')).toEqual({
      ...extended,
      counter: 5,
    });
  });

  it('of another kind are refused', () => {
    expect(codeOf(() => decodeRecord(headKind, encodeRecord(manifestKind, manifest), 'r'))).toBe('record-invalid');
  });

  it('nested a million deep are refused like any other damage', () => {
    expect(codeOf(() => decodeRecord(headKind, Buffer.from('['.repeat(1_000_000)), 'r'))).toBe('record-invalid');
    const nested = `${'{"a":'.repeat(200_000)}1${'}'.repeat(200_000)}`;
    expect(codeOf(() => decodeRecord(headKind, Buffer.from(nested), 'r'))).toBe('record-invalid');
  });
});

describe('canonical JSON', () => {
  it('is the same text for the same value, whatever the order of keys', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const reversed = JSON.parse(JSON.stringify(value), (_key, member: unknown) =>
          typeof member === 'object' && member !== null && !Array.isArray(member)
            ? Object.fromEntries(Object.entries(member).reverse())
            : member,
        ) as Json;
        expect(canonicalJson(reversed)).toBe(canonicalJson(JSON.parse(JSON.stringify(value)) as Json));
        expect(parseJson(canonicalJson(reversed))).toEqual(JSON.parse(JSON.stringify(value)));
      }),
      { seed: 9 },
    );
  });

  it('leaves out undefined members and refuses what JSON cannot say', () => {
    expect(canonicalJson({ b: 1, a: undefined })).toBe('{"b":1}');
    expect(codeOf(() => canonicalJson(Number.NaN))).toBe('record-invalid');
  });
});

describe('names', () => {
  it('of any kind become one legal segment, and different names different ones', () => {
    const segments = fc.array(fc.string({ unit: 'binary', minLength: 1, maxLength: 40 }), {
      minLength: 2,
      maxLength: 2,
    });
    fc.assert(
      fc.property(segments, ([a = '', b = '']) => {
        expect(segmentOf(a)).toMatch(/^[A-Za-z0-9_=-][A-Za-z0-9._=-]*$/);
        expect(segmentOf(a) === segmentOf(b)).toBe(Buffer.from(a).equals(Buffer.from(b)));
      }),
      { seed: 10 },
    );
    expect(codeOf(() => segmentOf(''))).toBe('object-key-invalid');
    expect(isValidKey(runKey('n'.repeat(230)))).toBe(true);
    expect(codeOf(() => runKey('n'.repeat(231)))).toBe('object-key-invalid');
  });

  it('that are no digest are refused', () => {
    expect(codeOf(() => parseDigest('sha256:abc'))).toBe('record-invalid');
  });
});

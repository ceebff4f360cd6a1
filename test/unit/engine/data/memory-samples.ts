/** Samples of given lengths in memory; every token tells which sample it is of, and every other one is learned. */
import type { Sample, SampleSource } from '../../../../engine/data/samples.js';

export function memorySamples(lengths: readonly number[]): SampleSource {
  const samples = lengths.map((length, number): Sample => {
    const ids = Int32Array.from({ length }, (_, token) => 1000 * (number + 1) + token);
    const trained = Array.from({ length: Math.floor(length / 2) }, (_, span) => ({
      start: 2 * span + 1,
      end: 2 * span + 2,
    }));
    return { id: `sample ${number}`, ids, trained };
  });
  const sampleAt = (number: number): Sample => {
    const sample = samples[number];
    if (sample === undefined) throw new RangeError(`no sample ${number}`);
    return sample;
  };
  return {
    digest: `lengths ${lengths.join(' ')}`,
    samples: samples.length,
    longest: Math.max(...lengths),
    lengthOf: (number) => sampleAt(number).ids.length,
    read: (number) => Promise.resolve(sampleAt(number)),
  };
}

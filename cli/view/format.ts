/** Numbers and digests as people read them. */

/** `1,234`, with digits after the point only where they say something. */
export const formatCount = (value: number): string =>
  value.toLocaleString('en-US', { maximumFractionDigits: value < 10 ? 1 : 0 });

export const formatLoss = (loss: number): string => (Number.isFinite(loss) ? loss.toFixed(3) : String(loss));

/** Enough of a digest to tell it from others. */
export const shortDigest = (digest: string): string => digest.replace(/^sha256:/, '').slice(0, 12);

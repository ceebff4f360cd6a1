/** Numbers and durations as people read them. */

/** `0.4 s`, `12 s`, `3 min 20 s`, `2 h 05 min`. */
export function formatDuration(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  const minutes = Math.floor(whole / 60);
  if (minutes < 60) return `${minutes} min ${String(whole % 60).padStart(2, '0')} s`;
  return `${Math.floor(minutes / 60)} h ${String(minutes % 60).padStart(2, '0')} min`;
}

/** `1,234`, with digits after the point only where they say something. */
export const formatCount = (value: number): string =>
  value.toLocaleString('en-US', { maximumFractionDigits: value < 10 ? 1 : 0 });

export const formatLoss = (loss: number): string => (Number.isFinite(loss) ? loss.toFixed(3) : String(loss));

/** Enough of a digest to tell it from others. */
export const shortDigest = (digest: string): string => digest.replace(/^sha256:/, '').slice(0, 12);

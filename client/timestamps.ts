/** Times as Temporal's wire says them. */
interface Timestamp {
  readonly seconds?: unknown;
  readonly nanos?: number | null;
}

/** Since 1970; undefined for none, which the server also says with zero. */
export function millisecondsOf(time: Timestamp | null | undefined): number | undefined {
  const milliseconds = Number(time?.seconds ?? 0) * 1000 + Math.floor((time?.nanos ?? 0) / 1e6);
  return milliseconds > 0 ? milliseconds : undefined;
}

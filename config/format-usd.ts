/** How money is told on a terminal, wherever it is. Pure. */

/** `$0.307`, `$1,230`: three significant digits. */
export const formatUsd = (usd: number): string => `$${usd.toLocaleString('en-US', { maximumSignificantDigits: 3 })}`;

/** Why a server was not reached, in words for whoever chose its address: what gRPC says of it is for its developers. */

/** The first that fits; Node's and Rust's libraries have words of their own for each. */
const reasons: readonly (readonly [RegExp, (said: string) => string])[] = [
  [/ECONNREFUSED|connection refused/i, () => 'it refuses the connection'],
  [/ENOTFOUND|EAI_AGAIN|name resolution failed|dns error|lookup address/i, () => 'its name is not resolved'],
  [/certificate|\bSSL\b|\bTLS\b|handshake/i, (said) => `TLS is refused: ${said}`],
  [/deadline|timed out|timeout/i, () => 'no answer in time'],
];

/** @param said by gRPC, perhaps over several lines */
export function sayUnreachable(said: string): string {
  const [line = ''] = said.trim().split('\n');
  // A host may be called tls.example.com.
  const words = said.replaceAll(/[\w.-]+:\d+/g, '');
  const [, describe] = reasons.find(([pattern]) => pattern.test(words)) ?? [];
  return describe?.(line) ?? (line === '' ? 'no answer' : line);
}

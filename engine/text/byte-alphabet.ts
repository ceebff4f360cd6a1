/**
 * The alphabet in which byte-level tokenizers write bytes: one visible character each, so that any text is a word over it.
 * Source: bytes_to_unicode of GPT-2.
 */

const visible = (byte: number): boolean =>
  (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) || (byte >= 0xae && byte <= 0xff);

/** The character of a byte. */
export const characterOfByte: readonly string[] = Array.from({ length: 256 }, (_, byte) => {
  if (visible(byte)) return String.fromCodePoint(byte);
  const invisibleBefore = Array.from({ length: byte }, (__, other) => other).filter((other) => !visible(other)).length;
  return String.fromCodePoint(0x100 + invisibleBefore);
});

const byteOfCharacter = new Map(characterOfByte.map((character, byte) => [character, byte]));

/** The bytes that a token stands for, or undefined when it has a character that is none of the alphabet. */
export function bytesOfToken(token: string): Uint8Array | undefined {
  const bytes = new Uint8Array(token.length);
  for (let index = 0; index < token.length; index++) {
    const byte = byteOfCharacter.get(token[index] ?? '');
    if (byte === undefined) return undefined;
    bytes[index] = byte;
  }
  return bytes;
}

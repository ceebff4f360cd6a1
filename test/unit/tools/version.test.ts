import { isAtLeast, readVersion } from '../../../tools/version.js';

describe('a version', () => {
  it('is read after the words that announce it', () => {
    expect(readVersion('temporal version 0.0.0-DEV (Server 1.31.2, UI 2.50.1)', 'Server ')).toBe('1.31.2');
    expect(readVersion('go version go1.26.8 linux/amd64', 'go version go')).toBe('1.26.8');
    expect(readVersion('no number', '')).toBeUndefined();
    expect(readVersion('Version: 1.0.0', 'Server ')).toBeUndefined();
  });

  it('is compared number by number', () => {
    expect(isAtLeast('1.31.2', '1.29.0')).toBe(true);
    expect(isAtLeast('1.9.0', '1.29.0')).toBe(false);
    expect(isAtLeast('1.29', '1.29.0')).toBe(true);
    expect(isAtLeast('2.0.0', '1.29.9')).toBe(true);
  });
});

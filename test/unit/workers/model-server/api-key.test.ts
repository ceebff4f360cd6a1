import { writeFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { checkAuthorization, checkExposure, readApiKey } from '../../../../workers/model-server/api-key.js';
import { temporaryDirectory } from '../../../support/temporary.js';

const invalid = expect.objectContaining({ code: 'serve-setting-invalid' });

test('a host that other machines reach is refused without a key', () => {
  for (const host of ['0.0.0.0', '::', '192.168.1.2', 'example.org', '127.0.0.1.example.org'])
    expect(() => checkExposure(host, undefined)).toThrow(invalid);
  for (const host of ['127.0.0.1', '127.1.2.3', '::1', 'localhost']) checkExposure(host, undefined);
  checkExposure('0.0.0.0', 'secret');
});

test('a key comes from a file or a variable, and one that is named and not there is no reason to go without', async () => {
  const file = join(temporaryDirectory(), 'key');
  writeFileSync(file, ' secret\n');
  await expect(readApiKey({ file }, {})).resolves.toBe('secret');
  await expect(readApiKey({ variable: 'KEY' }, { KEY: 'other' })).resolves.toBe('other');
  await expect(readApiKey({}, { KEY: 'other' })).resolves.toBeUndefined();
  writeFileSync(file, '\n');
  for (const source of [{ file }, { file: '/nowhere' }, { variable: 'NONE' }, { file, variable: 'KEY' }])
    await expect(readApiKey(source, { KEY: 'other' })).rejects.toEqual(invalid);
});

test('only the key itself is let in', () => {
  const asking = (authorization?: string) => ({ headers: { authorization } }) as IncomingMessage;
  checkAuthorization(asking('Bearer secret'), 'secret');
  for (const given of [undefined, '', 'Bearer', 'Bearer secre', 'Bearer secret2', 'Basic secret', 'secret'])
    expect(() => checkAuthorization(asking(given), 'secret')).toThrow(
      expect.objectContaining({ fields: expect.objectContaining({ status: 401 }) }),
    );
});

test('without a key only names of this machine are answered: a web page may make its own name lead here', () => {
  const asking = (host?: string) => ({ headers: { host } }) as IncomingMessage;
  for (const host of ['localhost:8000', '127.0.0.1', '127.0.0.1:8000', '[::1]:8000', 'localhost'])
    checkAuthorization(asking(host), undefined);
  for (const host of [undefined, '', 'evil.example:8000', 'localhost.evil.example', '127.0.0.1.evil.example'])
    expect(() => checkAuthorization(asking(host), undefined)).toThrow(
      expect.objectContaining({ fields: expect.objectContaining({ status: 403 }) }),
    );
});

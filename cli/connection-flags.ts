/** Flags of every verb that speaks to a Temporal server. */
import type { Flags } from './command.js';

export const dataConverterFlag = {
  'data-converter': {
    value: 'module',
    summary: 'encodes what Temporal is given: a JavaScript module that exports a data converter',
    offers: 'file',
  },
} as const satisfies Flags;

export const connectionFlags = {
  profile: { value: 'name', summary: 'of the Temporal configuration file: address, namespace, TLS, API key' },
  ...dataConverterFlag,
} as const satisfies Flags;

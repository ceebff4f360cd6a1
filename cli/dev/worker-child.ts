/**
 * A worker that `dev` has started: `node worker-child.js <role> [flags of a worker]`. It ends in order when `dev` asks it to,
 * and also when `dev` is gone: the channel between them then closes. Once it is asked, by any message, it says what its children report.
 */
import { subscribe } from 'node:diagnostics_channel';
import { childProgressChannel } from '../../config/child-protocol.js';

process.once('message', () =>
  subscribe(childProgressChannel, (progress) => {
    if (process.connected) process.send?.(progress);
  }),
);
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
process.channel?.unref();

const [role = '', ...flags] = process.argv.splice(2);
process.argv.push(...flags);
await import(`../../workers/${role}.js`);

/**
 * Preloaded (NODE_OPTIONS=--require) it lets a process and its threads connect to this machine alone. Any other connection fails, and
 * is written to the file that `LOOPBACK_ONLY_LOG` names, as every process is that loads it. It sees whatever goes through Node's
 * sockets: `fetch`, TLS, HTTP and the SDK of a store; not the connection of Temporal's native core.
 */
const { appendFileSync } = require('node:fs');
const { Socket } = require('node:net');

const loopback = /^(localhost|127(\.\d{1,3}){3}|::1|\[::1\])$/;

const write = (entry) => appendFileSync(process.env.LOOPBACK_ONLY_LOG, `${JSON.stringify(entry)}\n`);

/** Of `connect(options)`, `connect(port, host)`, `connect(path)`, or what Node has made of them: an array. */
function hostOf([first, second]) {
  if (Array.isArray(first)) return hostOf(first);
  if (typeof first === 'object') return first.path ? 'localhost' : (first.host ?? 'localhost');
  return typeof second === 'string' ? second : 'localhost';
}

function refuse(host) {
  write({ refused: host, by: process.argv[1] });
  return Object.assign(new Error(`expected a connection to this machine, found one to ${host}`), { code: 'EACCES' });
}

const connect = Reflect.get(Socket.prototype, 'connect');
Socket.prototype.connect = function connectToLoopback(...given) {
  const host = hostOf(given);
  return loopback.test(host) ? connect.apply(this, given) : this.destroy(refuse(host));
};

write({ guarded: process.argv[1] });

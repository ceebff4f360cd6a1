/**
 * The program of the thread that runs queries, as text: it must run the same from source, compiled and under a test runner.
 *
 * What a query cannot do here, and why:
 * - change anything for the next one: each gets a copy of the database of its own, which is also read only;
 * - reach the host: SQLite is compiled to WebAssembly, sees a file system in memory, and cannot load extensions;
 * - take more memory than allowed: SQLite's hard heap limit can be lowered but never raised by SQL, and should SQLite lose
 *   count, the WebAssembly memory itself does not grow past its ceiling (a thread's `resourceLimits` do not bound it);
 * - answer differently tomorrow: the clock stands still, and `random` is refused.
 * Time is not its business: whoever started the thread ends it.
 */
export const queryProgram = `
const { parentPort, workerData } = require('node:worker_threads');
const { sqlJs, database, limits, nowMs } = workerData;
const pageBytes = 65536;
const ceilingBytes = 2 ** 25 + 2 * limits.memoryBytes;

const { grow } = WebAssembly.Memory.prototype;
WebAssembly.Memory.prototype.grow = function (pages) {
  if (this.buffer.byteLength + pages * pageBytes > ceilingBytes) throw new RangeError('out of memory');
  return grow.call(this, pages);
};
Date.now = () => nowMs;
const notHere = () => { throw new Error('random is not allowed'); };
const refused = (reason, message) => ({ kind: 'refused', reason, message });

function isSingle(db, sql) {
  const statements = db.iterateStatements(sql);
  if (statements.next().done) return undefined;
  try {
    return statements.next().done === true;
  } catch {
    return false; // something stands behind the first statement that is not even SQL
  }
}

function rowsOf(statement) {
  const rows = [];
  let bytes = 0;
  while (statement.step()) {
    if (rows.length === limits.rows) return refused('row-limit', 'more than ' + limits.rows + ' rows');
    const row = statement.get();
    for (const cell of row) bytes += typeof cell === 'string' || cell instanceof Uint8Array ? 8 + cell.length : 8;
    if (bytes > limits.resultBytes) return refused('size-limit', 'more than ' + limits.resultBytes + ' bytes of result');
    rows.push(row);
  }
  return { kind: 'rows', columns: statement.getColumnNames().length, rows };
}

function run(SQL, sql) {
  const db = new SQL.Database(database);
  try {
    db.create_function('random', () => notHere());
    db.create_function('randomblob', (bytes) => notHere(bytes));
    db.exec('PRAGMA hard_heap_limit=' + limits.memoryBytes + '; PRAGMA query_only=1; PRAGMA temp_store=2');
    const single = isSingle(db, sql);
    if (single === undefined) return refused('not-a-query', 'no statement');
    if (!single) return refused('several-statements', 'more than one statement');
    return rowsOf(db.prepare(sql));
  } catch (error) {
    const message = String(error?.message ?? error).slice(0, 300);
    if (/out of memory|too big|allocation/i.test(message)) return refused('memory-limit', message);
    return refused('sql-error', message);
  } finally {
    db.close();
  }
}

require(sqlJs)().then((SQL) => {
  parentPort.on('message', (sql) => parentPort.postMessage(run(SQL, sql)));
  parentPort.postMessage('ready');
});
`;

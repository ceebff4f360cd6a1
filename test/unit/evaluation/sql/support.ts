/** A database small enough to be read here. */
import initSqlJs from 'sql.js';

export async function smallDatabase(): Promise<Uint8Array> {
  const { Database } = await initSqlJs();
  const database = new Database();
  database.exec(`
    CREATE TABLE item (id INTEGER PRIMARY KEY, name TEXT, price REAL, kind TEXT);
    INSERT INTO item VALUES (1,'cup',2.5,'kitchen'),(2,'pan',20,'kitchen'),(3,'lamp',20,'light'),(4,'rug',NULL,NULL);
    CREATE TABLE empty (id INTEGER);
  `);
  return database.export();
}

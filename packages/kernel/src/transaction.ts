/**
 * Changes of a record that are made together or not at all.
 *
 * Knows: that SQLite takes some failures (a full disk) as the end of the transaction by itself; what failed is what is told.
 * Does not know: any record.
 */
import type { DatabaseSync } from 'node:sqlite';

/** Runs `work`, which must not wait for anything, as one transaction. @throws what `work` throws, with nothing changed */
export function inTransaction<T>(db: DatabaseSync, work: () => T): T {
  db.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    db.exec('COMMIT');
    return result;
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

import { nearest } from '../config/nearest.js';
import { MlvError } from '../core/errors.js';

/** The `DATA_UNREADABLE` error for a file that cannot be profiled. */
export function dataUnreadable(name: string, reason: string, hint?: string): MlvError {
  return new MlvError('DATA_UNREADABLE', `'${name}' cannot be read as a table: ${reason}`, {
    hint: hint ?? 'csv, tsv, jsonl and parquet can be read; --format says which one it is',
    data: { path: name },
  });
}

/** The `USAGE` error for columns that a file does not have. */
export function unknownColumns(name: string, unknown: readonly string[], columns: readonly string[]): MlvError {
  const [first = ''] = unknown;
  const near = nearest(first, columns.slice(0, 1000));
  const some = columns.slice(0, 10).join(', ');
  return new MlvError('USAGE', `'${name}' has no column '${first}'`, {
    hint:
      near === undefined ? `it has: ${some}${columns.length > 10 ? ', …' : ''}` : `did you mean '${columns[near]}'?`,
    data: { path: name, columns: [...unknown] },
  });
}

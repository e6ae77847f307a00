const MAGIC = 'PAR1';
/** Stands in for it where the footer is encrypted. */
const ENCRYPTED = 'PARE';

/** Bytes to be given of each end of a file, less where it is shorter. */
export const PARQUET_END_BYTES = 8;
/** Magic, length of the footer, magic: less is no Parquet file, not even one of no rows. */
const LEAST_BYTES = 12;

/**
 * Why a file cannot be a Parquet file, told from its first and last 8 bytes and its size; undefined where it may be one.
 * Source: the "File Format" of github.com/apache/parquet-format (magic, data, footer, its length in 4 bytes, magic).
 */
export function parquetProblem(head: Buffer, tail: Buffer, size: number): string | undefined {
  if (size === 0) return 'it is empty, and even without rows a Parquet file has a footer';
  const first = head.toString('latin1', 0, MAGIC.length);
  if (first !== MAGIC && first !== ENCRYPTED) return 'it does not begin as a Parquet file does';
  const last = tail.toString('latin1', Math.max(0, tail.length - MAGIC.length));
  if (first === ENCRYPTED || (size >= LEAST_BYTES && last === ENCRYPTED)) return 'it is encrypted';
  const whole = size >= LEAST_BYTES && last === MAGIC;
  if (!whole || tail.readUInt32LE(0) > size - LEAST_BYTES) return 'it is cut short: its footer is not whole';
  return undefined;
}

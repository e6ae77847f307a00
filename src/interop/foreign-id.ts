import { MlvError } from '../core/errors.js';

/** How another tool names contents. `md5-dos2unix` is DVC before 3.0: line ends of what looks like text count as LF. */
export type ForeignAlgorithm = 'md5' | 'md5-dos2unix' | 'sha256';

/** The name that another tool has for a content. */
export interface ForeignId {
  algorithm: ForeignAlgorithm;
  /** Lower-case hex digits: 32 for MD5, 64 for SHA-256. */
  hex: string;
}

/** The id as one text, for maps and messages. */
export function foreignKey({ algorithm, hex }: ForeignId): string {
  return `${algorithm}:${hex}`;
}

/** The `FOREIGN_INVALID` error for something at a path that another tool wrote. */
export function foreignInvalid(
  path: string,
  reason: string,
  options: { hint?: string; cause?: unknown } = {},
): MlvError {
  return new MlvError('FOREIGN_INVALID', `'${path}' ${reason}`, { ...options, data: { path } });
}

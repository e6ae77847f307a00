import { MlvError } from '../core/errors.js';

/** The number behind a format's name when `bytes` begin with that name, else undefined. */
export function magicVersion(bytes: Uint8Array, magic: Buffer): number | undefined {
  const end = magic.length - 1;
  if (bytes.length < magic.length || !magic.subarray(0, end).equals(bytes.subarray(0, end))) return undefined;
  return bytes[end];
}

/** The error `FORMAT_TOO_NEW`: `finding` says what a later version of mlv must have written. */
export function tooNew(finding: string): MlvError {
  return new MlvError('FORMAT_TOO_NEW', `${finding}, which this version of mlv cannot read`, {
    hint: 'install a newer version of mlv',
  });
}

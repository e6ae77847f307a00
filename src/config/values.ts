import { MlvError, type MlvErrorOptions } from '../core/errors.js';
import type { FileLevel } from './levels.js';
import { isSecret, type KnownKey, printable, type SettingValue } from './settings.js';

/** Where a value comes from: as error messages name it, and in parts. */
export interface Place {
  /** Such as `/repo/mlv.yaml:4`, `MLV_CORE_JOBS` or `--jobs`. */
  where: string;
  file?: string;
  /** Counted from 1. */
  line?: number;
}

/** The value that a text means for a setting. Error: `CONFIG_INVALID` with the place; a credential is never quoted. */
export function parseValue(known: KnownKey, text: string, options: { place: Place; home: string }): SettingValue {
  const value = known.setting.kind.parse(text, options.home);
  if (value !== undefined) return value;
  throw invalid(options.place, `'${printable(known, text)}' is not a value for '${known.key}'`, {
    hint: `it must be ${known.setting.kind.describe}`,
    data: { key: known.key },
  });
}

/**
 * Refuses what a level may not decide. Errors: `CREDENTIAL_IN_COMMITTED_CONFIG`, `CONFIG_INVALID` naming the levels
 * that may.
 */
export function checkLevel(known: KnownKey, value: SettingValue, options: { place: Place; level: FileLevel }): void {
  if (options.level !== 'project') return;
  if (isSecret(known, value)) throw committedCredential(known.key, options.place);
  if (known.setting.project) return;
  throw invalid(options.place, `'${known.key}' may not be set in the committed configuration`, {
    hint: `set it for yourself: \`mlv config set --local ${known.key} …\` (or --user, --system, ${variableOf(known.key)})`,
    data: { key: known.key, levels: ['system', 'user', 'local', 'environment', 'flags'] },
  });
}

/** The environment variable of a setting: upper case, dots and dashes as underscores. */
export function variableOf(key: string): string {
  return `MLV_${key.replace(/[.-]/g, '_').toUpperCase()}`;
}

/** The `CONFIG_INVALID` error for something at a place. */
export function invalid(place: Place, reason: string, more: MlvErrorOptions = {}): MlvError {
  const { file, line } = place;
  const data = { ...more.data, ...(file === undefined ? {} : { file }), ...(line === undefined ? {} : { line }) };
  return new MlvError('CONFIG_INVALID', `${place.where}: ${reason}`, { ...more, data });
}

function committedCredential(key: string, place: Place): MlvError {
  const { file, line } = place;
  const data = { key, ...(file === undefined ? {} : { file }), ...(line === undefined ? {} : { line }) };
  return new MlvError(
    'CREDENTIAL_IN_COMMITTED_CONFIG',
    `${place.where}: '${key}' holds a credential, and this file is committed for everyone to read`,
    {
      hint: `use \`mlv config set --local ${key} …\` for it; a credential that was committed already must be replaced`,
      data,
    },
  );
}

import type { ListedSetting, Origin } from '../../config/config.js';

/** Where a value was set, such as `local (/repo/.git/mlv/config.yaml:2)`. */
export function originText({ level, where }: Origin): string {
  return where === undefined ? level : `${level} (${where})`;
}

/** A setting as `--json` shows it. */
export function settingDocument({ key, value, origin }: ListedSetting): Record<string, unknown> {
  const { level, where, file, line } = origin;
  return {
    key,
    value,
    level,
    ...(where === undefined ? {} : { where }),
    ...(file === undefined ? {} : { file }),
    ...(line === undefined ? {} : { line }),
  };
}

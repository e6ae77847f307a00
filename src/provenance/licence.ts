import { createRequire } from 'node:module';

let parse: typeof import('spdx-expression-parse') | undefined;

/** True for an SPDX licence expression: `CC-BY-4.0`, `MIT OR Apache-2.0`, `LicenseRef-ours`. */
export function isSpdxLicence(text: string): boolean {
  // Loaded at the first licence: many verbs can meet one, few do.
  parse ??= createRequire(import.meta.url)('spdx-expression-parse') as NonNullable<typeof parse>;
  try {
    parse(text);
    return true;
  } catch {
    return false;
  }
}

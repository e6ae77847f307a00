import parse from 'spdx-expression-parse';

/** True for an SPDX licence expression: `CC-BY-4.0`, `MIT OR Apache-2.0`, `LicenseRef-ours`. */
export function isSpdxLicence(text: string): boolean {
  try {
    parse(text);
    return true;
  } catch {
    return false;
  }
}

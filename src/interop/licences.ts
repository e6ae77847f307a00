import { createRequire } from 'node:module';

let identifiers: Map<string, string> | undefined;

/** The identifier that SPDX lists a licence under, whatever its case (`apache-2.0`); undefined for one that it does not. */
export function spdxLicence(name: string): string | undefined {
  identifiers ??= new Map(
    (createRequire(import.meta.url)('spdx-license-ids') as string[]).map((id) => [id.toLowerCase(), id]),
  );
  return identifiers.get(name.trim().toLowerCase());
}

import { invalidLocation } from './location-error.js';

/** A prefix in a bucket of S3, of Google Cloud Storage, or in a container of Azure. */
export interface BucketLocation {
  scheme: 's3' | 'gs' | 'azure';
  bucket: string;
  /** Without slashes at its ends; may be empty. */
  prefix: string;
  url: string;
}

const NAMES: Record<BucketLocation['scheme'], { what: string; pattern: RegExp; settings: string }> = {
  s3: {
    what: 'bucket',
    pattern: /^[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]$/,
    settings: 'region, endpoint and the like are settings of the remote (mlv config)',
  },
  gs: {
    what: 'bucket',
    pattern: /^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$/,
    settings: 'project and endpoint are settings of the remote (mlv config)',
  },
  azure: {
    what: 'container',
    pattern: /^(?:\$root|\$web|[a-z0-9](?:-?[a-z0-9]){2,62})$/,
    settings: 'account and endpoint are settings of the remote (mlv config)',
  },
};

/**
 * Reads `scheme://bucket/prefix`, the prefix as it is, nothing percent-encoded, as the tools of the clouds have it.
 * Error: `REMOTE_URL_INVALID`.
 */
export function bucketLocation(scheme: BucketLocation['scheme'], given: string): BucketLocation {
  const { what, pattern, settings } = NAMES[scheme];
  const rest = given.slice(`${scheme}://`.length);
  const slash = rest.indexOf('/');
  const bucket = slash < 0 ? rest : rest.slice(0, slash);
  const prefix = slash < 0 ? '' : rest.slice(slash + 1).replace(/^\/+|\/+$/g, '');
  const hint = `write ${scheme}://${what}/prefix; ${settings}`;
  if (rest.includes('?')) throw invalidLocation(given, 'it has a query', { hint });
  if (!pattern.test(bucket)) throw invalidLocation(given, `'${bucket}' is not the name of a ${what}`, { hint });
  if (prefix !== '' && !isPrefix(prefix)) {
    throw invalidLocation(given, "the prefix has an empty part, '.' or '..'", { hint });
  }
  return { scheme, bucket, prefix, url: prefix === '' ? `${scheme}://${bucket}` : `${scheme}://${bucket}/${prefix}` };
}

function isPrefix(prefix: string): boolean {
  return prefix.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
}

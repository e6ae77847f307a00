import type { CheckoutReport } from '../../workspace/checkout-directory.js';
import { errorDocument } from '../errors.js';
import { formatBytes, formatCount } from './units.js';

/** What a checkout did, on one line. */
export function checkoutSummary({ written, bytes, removed, refused, failed }: CheckoutReport): string {
  const parts = [
    ...(written > 0 ? [`${formatCount(written, 'file')} written (${formatBytes(bytes)})`] : []),
    ...(removed > 0 ? [`${formatCount(removed, 'file')} removed`] : []),
  ];
  if (parts.length > 0) return parts.join(', ');
  return refused.length + failed.length > 0 ? 'nothing was changed' : 'everything is as the pointers say';
}

/** What a checkout did, for `--json`. */
export function checkoutDocument({
  written,
  bytes,
  removed,
  refused,
  failed,
}: CheckoutReport): Record<string, unknown> {
  const failures = failed.map(({ path, oid, error }) => ({ path, oid, error: errorDocument(error) }));
  return { written, bytes, removed, refused, failed: failures };
}

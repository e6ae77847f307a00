import { DirectoriesCheckout } from './checkout-directories.js';
import { FilesCheckout } from './checkout-files.js';
import type { CheckoutReport } from './checkout-sides.js';
import { type CheckoutOptions, CheckoutWork } from './checkout-work.js';
import { isDirectoryTarget, type Selection } from './pointers.js';
import type { Repository } from './repository.js';

/**
 * Brings the workspace to the pointers. Content that is in no object is kept and listed, objects that are missing or
 * damaged are listed, everything else is done all the same. Errors: `DISK_FULL`, `FILE_SYSTEM`, `POINTER_UNSAFE`.
 */
export async function checkout(
  repository: Repository,
  selections: readonly Selection[],
  options: CheckoutOptions = {},
): Promise<CheckoutReport> {
  const work = new CheckoutWork(repository, options);
  try {
    const files = selections.filter(({ target }) => !isDirectoryTarget(target)).map(({ target }) => target);
    await new FilesCheckout(work).files(files);
    const directories = new DirectoriesCheckout(work);
    for (const selection of selections) if (isDirectoryTarget(selection.target)) await directories.directory(selection);
    return work.report;
  } finally {
    work.end();
  }
}

import { isMlvError, MlvError } from '../core/errors.js';
import type { CheckoutReport } from '../workspace/checkout-directory.js';
import { formatCount } from './render/units.js';

/** What a checkout could not do, as one error a kind: damaged objects, missing ones, unsaved files in the way. */
export function checkoutErrors({ refused, failed }: CheckoutReport): MlvError[] {
  const missing = failed.filter(({ error }) => isMlvError(error, 'OBJECT_MISSING'));
  const unnamed = failed.filter(({ error }) => isMlvError(error, 'NAME_REFUSED'));
  const damaged = failed.filter(
    ({ error }) => !isMlvError(error, 'OBJECT_MISSING') && !isMlvError(error, 'NAME_REFUSED'),
  );
  const errors: MlvError[] = [];
  if (damaged.length > 0) errors.push(damagedError(damaged));
  if (missing.length > 0) errors.push(missingError(missing));
  if (unnamed.length > 0) errors.push(unnamedError(unnamed));
  if (refused.length > 0) errors.push(refusedError(refused));
  return errors;
}

function damagedError(damaged: CheckoutReport['failed']): MlvError {
  const first = damaged[0]?.error;
  const what = `${formatCount(damaged.length, 'file')} could not be checked out, because objects are damaged`;
  return new MlvError(first?.code ?? 'OBJECT_CORRUPT', what, {
    hint: 'set the damaged objects aside and get them again: mlv fsck --repair',
    data: { paths: damaged.map(({ path }) => path), oids: damaged.map(({ oid }) => oid) },
    cause: first,
  });
}

function missingError(missing: CheckoutReport['failed']): MlvError {
  const what = `${formatCount(missing.length, 'object')} ${missing.length === 1 ? 'is' : 'are'} not in the cache`;
  return new MlvError('OBJECT_MISSING', what, {
    hint: 'fetch what is missing and check it out: mlv pull',
    data: { paths: missing.map(({ path }) => path), oids: missing.map(({ oid }) => oid) },
  });
}

function unnamedError(unnamed: CheckoutReport['failed']): MlvError {
  const [first] = unnamed;
  const more = unnamed.length > 1 ? `, and ${unnamed.length - 1} more likewise` : '';
  return new MlvError('NAME_REFUSED', `${first?.error.message}${more}`, {
    ...(first?.error.hint !== undefined && { hint: first.error.hint }),
    data: { paths: unnamed.map(({ path }) => path) },
    cause: first?.error,
  });
}

function refusedError(refused: CheckoutReport['refused']): MlvError {
  const what = `${formatCount(refused.length, 'file')} with content that is in no object ${refused.length === 1 ? 'was' : 'were'} kept`;
  return new MlvError('UNSAVED_CHANGES', what, {
    hint: 'record the content with mlv add, or lose it with mlv checkout --force',
    data: { paths: refused.map(({ path }) => path) },
  });
}

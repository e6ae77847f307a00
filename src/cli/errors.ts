import { statfsSync } from 'node:fs';
import { ERROR_CODES, EXIT, fileSystemError, isMlvError, MlvError, systemErrorCode } from '../core/errors.js';
import { redactUrl } from '../core/redact.js';
import type { ErrorDocument } from './render/json.js';
import { escapeControls, quotePath } from './render/quote.js';
import { formatBytes } from './render/units.js';

/** Git tidies up after itself when a disk is full: a little is free again when its end is seen. */
const FULL_BELOW = 1024 * 1024;

/**
 * Any error as the one that the user gets to see: an MlvError as it is, an abort as `INTERRUPTED`, an error of the
 * system as `FILE_SYSTEM` or `DISK_FULL`, everything else as `INTERNAL`, a fault of mlv.
 */
export function toMlvError(error: unknown, signal?: AbortSignal): MlvError {
  if (error instanceof MlvError) return error.code === 'GIT_FAILED' ? withFullDisk(error) : error;
  if (signal?.aborted && signal.reason instanceof MlvError) return signal.reason;
  if (systemErrorCode(error) !== undefined && (error as NodeJS.ErrnoException).syscall !== undefined) {
    const { syscall = 'use', path = '' } = error as NodeJS.ErrnoException;
    return fileSystemError(syscall, path, error);
  }
  const message = error instanceof Error ? error.message : String(error);
  return new MlvError('INTERNAL', `unexpected error: ${message.split('\n')[0] ?? ''}`, {
    cause: error,
    hint: 'this is a fault in mlv: run the same command with --debug and report what it prints',
  });
}

/** A failure of Git as `DISK_FULL` where the disk that it worked on is full; Git says so in words only. */
function withFullDisk(error: MlvError): MlvError {
  const free = freeBytes(error.data.directory);
  if (free === undefined || free >= FULL_BELOW) return error;
  return new MlvError('DISK_FULL', error.message, {
    cause: error,
    data: { ...error.data, path: error.data.directory, free },
    hint: `the disk has ${formatBytes(free)} left: free some space and run the same command again`,
  });
}

function freeBytes(directory: unknown): number | undefined {
  if (typeof directory !== 'string') return undefined;
  try {
    const { bavail, bsize } = statfsSync(directory);
    return bavail * bsize;
  } catch {
    return undefined;
  }
}

/** This many of the paths that an error concerns are listed below it. */
const SHOWN_PATHS = 20;

/**
 * The lines that tell the user of an error: what failed, the paths it concerns where there are several, what to do next,
 * and with `debug` where it comes from. A newline in a file name cannot begin a line of its own.
 */
export function errorLines(error: MlvError, options: { debug: boolean }): string[] {
  // Git's own words come in several lines, with the names in them quoted.
  const lines = [`mlv: ${escapeControls(error.message, { keepNewlines: isOfGit(error) })}`];
  lines.push(...listed(error.data.paths ?? error.data.failed));
  if (error.hint !== undefined) lines.push(`hint: ${escapeControls(error.hint)}`);
  if (options.debug)
    for (const stack of stacksOf(error)) lines.push(escapeControls(redactUrl(stack), { keepNewlines: true }));
  return lines;
}

function isOfGit(error: MlvError): boolean {
  return error.code === 'GIT_FAILED' || isMlvError(error.cause, 'GIT_FAILED');
}

function listed(paths: unknown): string[] {
  if (!Array.isArray(paths) || paths.length === 0) return [];
  const names = paths.map(nameIn).filter((path) => path !== undefined);
  const lines = names.slice(0, SHOWN_PATHS).map((path) => `    ${quotePath(path)}`);
  if (names.length > SHOWN_PATHS) lines.push(`    … and ${names.length - SHOWN_PATHS} more (--json lists all)`);
  return lines;
}

function nameIn(item: unknown): string | undefined {
  if (typeof item === 'string') return item;
  const { path } = (item ?? {}) as { path?: unknown };
  return typeof path === 'string' ? path : undefined;
}

function* stacksOf(error: unknown): Generator<string> {
  let current = error;
  for (let depth = 0; current instanceof Error && depth < 10; depth += 1) {
    const name = current instanceof MlvError ? `${current.code} ` : '';
    yield `${depth === 0 ? '' : 'caused by '}${name}${current.stack ?? current.message}`;
    current = current.cause;
  }
}

/** The error for `--json`. */
export function errorDocument(error: MlvError): ErrorDocument {
  const { code, message, hint, data } = error;
  return { code, message, ...(hint === undefined ? {} : { hint }), data };
}

/** From the gravest: what decides when a command ends with errors of several kinds. */
const GRAVITY: readonly number[] = [
  EXIT.interrupted,
  EXIT.integrity,
  EXIT.refused,
  EXIT.remote,
  EXIT.missing,
  EXIT.failed,
  EXIT.usage,
];

/** The gravest of some errors, the first of its kind; undefined where there are none. */
export function gravest(errors: readonly MlvError[]): MlvError | undefined {
  const rank = (error: MlvError): number => {
    const position = GRAVITY.indexOf(ERROR_CODES[error.code]);
    return position < 0 ? GRAVITY.length : position;
  };
  return errors.reduce<MlvError | undefined>(
    (worst, each) => (worst && rank(worst) <= rank(each) ? worst : each),
    undefined,
  );
}

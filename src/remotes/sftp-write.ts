import { randomBytes } from 'node:crypto';
import { TEMPORARY_SEGMENT } from './keys.js';
import { isMissing } from './sftp-errors.js';
import type { SftpSession } from './sftp-session.js';

const STALE_AFTER_MS = 7 * 24 * 3600 * 1000;

/** A path in `<base>/tmp/` that no process on any machine uses at this moment. */
export function temporaryFile(base: string): string {
  return `${base}/${TEMPORARY_SEGMENT}/${process.pid}-${randomBytes(12).toString('hex')}`;
}

/**
 * Makes `<base>/tmp`, and the base where only it is missing: with its parent missing too, the path is mistyped or
 * something is not mounted. Error: the server's `noSuchFile` in that case.
 */
export async function prepareDirectories(session: SftpSession, base: string): Promise<void> {
  await makeDirectory(session, base);
  await makeDirectory(session, `${base}/${TEMPORARY_SEGMENT}`);
}

/**
 * Gives a finished temporary file its name, below `base`. With `ifAbsent`, a name that is taken stays as it is and the
 * result is `exists`.
 */
export async function publishFile(
  session: SftpSession,
  temporary: string,
  options: { base: string; key: string; ifAbsent: boolean },
): Promise<'created' | 'exists'> {
  const target = `${options.base}/${options.key}`;
  try {
    return await rename(session, temporary, { target, ifAbsent: options.ifAbsent });
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  await makeParents(session, options.base, options.key);
  return rename(session, temporary, { target, ifAbsent: options.ifAbsent });
}

async function rename(
  session: SftpSession,
  temporary: string,
  { target, ifAbsent }: { target: string; ifAbsent: boolean },
): Promise<'created' | 'exists'> {
  if (!ifAbsent && (await session.replace(temporary, target))) return 'created';
  try {
    await session.rename(temporary, target);
    return 'created';
  } catch (error) {
    // The status does not say that the name is taken.
    if (isMissing(error) || !(await exists(session, target))) throw error;
  }
  if (ifAbsent) return 'exists';
  // A server without the POSIX rename; for a moment nothing is there, never a part.
  await session.remove(target);
  await session.rename(temporary, target);
  return 'created';
}

/** Makes the directories above a key; never the base itself, which may just have been unmounted. */
async function makeParents(session: SftpSession, base: string, key: string): Promise<void> {
  const segments = key.split('/').slice(0, -1);
  for (const [index] of segments.entries()) {
    await makeDirectory(session, `${base}/${segments.slice(0, index + 1).join('/')}`);
  }
}

async function makeDirectory(session: SftpSession, path: string): Promise<void> {
  try {
    await session.makeDirectory(path);
  } catch (error) {
    if (isMissing(error) || !(await isDirectory(session, path))) throw error;
  }
}

async function isDirectory(session: SftpSession, path: string): Promise<boolean> {
  return session.stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

async function exists(session: SftpSession, path: string): Promise<boolean> {
  return session.stat(path).then(
    () => true,
    () => false,
  );
}

/** Removes what writers left in `<base>/tmp` that were killed more than a week ago. Never fails. */
export async function removeStaleFiles(session: SftpSession, base: string, now: number): Promise<void> {
  const directory = `${base}/${TEMPORARY_SEGMENT}`;
  try {
    for (const { filename, attrs } of await session.list(directory)) {
      const stale = attrs.isFile() && now - attrs.mtime * 1000 > STALE_AFTER_MS;
      if (stale) await session.remove(`${directory}/${filename}`);
    }
  } catch {
    // Another process may be cleaning up too; leftovers cost space only.
  }
}

import { createHash } from 'node:crypto';
import { basename, resolve } from 'node:path';
import { fileSystemError, isMlvError, MlvError } from '../core/errors.js';
import { CacheBatch } from '../objects/cache-batch.js';
import type { Attachment } from '../registry/event.js';
import { push } from '../transfer/push.js';
import { type OpenRepository, openRepository } from './context.js';
import { defaultRemote, openTransfer } from './open-transfer.js';
import { readBounded } from './read-bounded.js';
import type { Session } from './session.js';

/** Bytes of one file that is kept with an event: reports, not data. */
const ATTACHMENT_LIMIT = 64 * 1024 * 1024;

/**
 * Keeps files as objects, and sends them to the default remote where there is one: an event names what everybody can
 * have. Errors: `FILE_SYSTEM`, `USAGE` for one of more than 64 MiB, those of push.
 */
export async function keepAttachments(session: Session, files: readonly string[]): Promise<Attachment[]> {
  if (files.length === 0) return [];
  const repository = await openRepository(session);
  const { cache } = repository;
  const contents = files.map((file) => ({ file, bytes: readAttachment(resolve(session.cwd, file)) }));
  const batch = new CacheBatch(cache);
  const attachments = contents.map(({ file, bytes }) => {
    const digest = cache.hash.digest(bytes);
    batch.addBytes(bytes, digest.toString('hex'));
    const sha256 = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
    return { name: basename(file), oid: cache.oid(digest), sha256, size: bytes.length };
  });
  await batch.commit();
  await send(session, repository, attachments);
  return attachments;
}

/** As keepAttachments, for text that is at hand. */
export async function keepText(session: Session, name: string, text: string): Promise<Attachment> {
  const repository = await openRepository(session);
  const { cache } = repository;
  const bytes = Buffer.from(text, 'utf8');
  const digest = cache.hash.digest(bytes);
  const batch = new CacheBatch(cache);
  batch.addBytes(bytes, digest.toString('hex'));
  await batch.commit();
  const sha256 = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  const attachment = { name, oid: cache.oid(digest), sha256, size: bytes.length };
  await send(session, repository, [attachment]);
  return attachment;
}

function readAttachment(path: string): Buffer {
  try {
    const bytes = readBounded(path, ATTACHMENT_LIMIT);
    if (bytes) return bytes;
    throw new MlvError('USAGE', `'${path}' is larger than 64 MiB`, {
      hint: 'track it with mlv add, and name it in the reason',
      data: { path },
    });
  } catch (error) {
    throw fileSystemError('read', path, error);
  }
}

async function send(session: Session, repository: OpenRepository, attachments: readonly Attachment[]): Promise<void> {
  let name: string;
  try {
    name = defaultRemote(repository);
  } catch (error) {
    if (isMlvError(error, 'REMOTE_NOT_CONFIGURED')) return;
    throw error;
  }
  const open = await openTransfer(session, repository, name);
  try {
    const roots = attachments.map(({ oid, size, name: path }) => ({
      oid: oid as ReturnType<typeof repository.cache.oid>,
      size,
      path,
      directory: false,
      predecessors: [],
    }));
    const { failed } = await push(open.transfer, roots, {});
    if (failed[0])
      throw new MlvError('REMOTE_PERMANENT', `the attachment '${failed[0].path}' was not sent: ${failed[0].message}`);
  } finally {
    await open.close();
  }
}

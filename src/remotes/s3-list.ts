import { ListObjectsV2Command, type ListObjectsV2CommandOutput } from '@aws-sdk/client-s3';
import { checkInterrupted } from './interrupted.js';
import { comesAfter } from './keys.js';
import type { ListOptions, RemoteEntry } from './remote.js';
import { remoteError } from './remote-error.js';
import { abortable, type S3Access, type S3Call } from './s3-access.js';
import { notAnS3Answer } from './s3-errors.js';

/** Lists keys page by page. Errors: those of Remote; `REMOTE_PERMANENT` for a server whose list is not in order. */
export async function* listObjects(
  access: S3Access,
  prefix: string,
  { startAfter, signal }: ListOptions,
): AsyncGenerator<RemoteEntry> {
  const call: S3Call = { attempt: { operation: 'list', url: access.url, key: prefix }, signal };
  const root = access.fullKey('');
  let last = startAfter;
  let token: string | undefined;
  do {
    const page = await readPage(access, call, { startAfter, token });
    for (const { Key = '', Size = 0, LastModified } of page.Contents ?? []) {
      checkInterrupted(signal);
      if (!Key.startsWith(root)) throw strange(access, call, 'a key outside of the prefix');
      const key = Key.slice(root.length);
      if (last !== undefined && !comesAfter(key, last)) {
        // A server that does not know StartAfter begins at the beginning.
        if (startAfter !== undefined && !comesAfter(key, startAfter)) continue;
        throw strange(access, call, 'keys out of order');
      }
      last = key;
      yield { key, size: Size, modified: LastModified?.getTime() ?? 0 };
    }
    token = page.NextContinuationToken;
    if (page.IsTruncated && !token) throw strange(access, call, 'an unfinished list without its continuation');
  } while (token);
}

async function readPage(
  access: S3Access,
  call: S3Call,
  { startAfter, token }: { startAfter: string | undefined; token: string | undefined },
): Promise<ListObjectsV2CommandOutput> {
  const command = new ListObjectsV2Command({
    Bucket: access.bucket,
    Prefix: access.fullKey(call.attempt.key ?? ''),
    ...(token !== undefined && { ContinuationToken: token }),
    ...(token === undefined && startAfter !== undefined && { StartAfter: access.fullKey(startAfter) }),
  });
  const page = await access.request(call, (client) => client.send(command, abortable(call.signal)));
  // Any well-formed page of a proxy would otherwise read as an empty list.
  if (page.IsTruncated === undefined && page.Name === undefined) throw strange(access, call, 'not a list');
  return page;
}

function strange(access: S3Access, { attempt }: S3Call, detail: string): Error {
  return remoteError(attempt, notAnS3Answer(access.context, detail));
}

import { type CacheInfo, cacheInfo } from '../../workspace/cache-info.js';
import { openRepository } from '../context.js';
import { linkModesHere } from '../doctor/link-modes.js';
import { quotePath } from '../render/quote.js';
import { formatBytes, formatCount } from '../render/units.js';
import type { Session } from '../session.js';
import type { Result } from '../verb.js';

/** `mlv cache info`: see its declaration. Error: `FILE_SYSTEM`. */
export async function run(session: Session): Promise<Result> {
  const repository = await openRepository(session);
  const info = cacheInfo(repository.cache, repository.layout);
  const { level } = repository.config.origin('cache.dir') ?? { level: 'default' };
  const configured = repository.settings.linkModes;
  const supported = linkModesHere(repository);
  const used = supported && (configured.find((mode) => supported.includes(mode)) ?? 'copy');
  const links = { supported: supported ?? null, configured, used: used ?? null };
  return {
    text: [...lines(info, { level, links })],
    json: { ...info, level, links },
  };
}

interface Beside {
  level: string;
  links: { supported: readonly string[] | null; configured: readonly string[]; used: string | null };
}

function* lines(info: CacheInfo, { level, links }: Beside): Generator<string> {
  const { directory, algorithms, temporary, stale, corrupt, repositories, own, group } = info;
  yield `directory   ${quotePath(directory)} (cache.dir: ${level})`;
  for (const { algorithm, objects, bytes } of algorithms)
    yield `${algorithm.padEnd(11)} ${formatCount(objects, 'object')}, ${formatBytes(bytes)}`;
  if (algorithms.length === 0) yield 'objects     none';
  if (links.supported) yield `links       ${links.supported.join(', ')} work here; ${links.used} is used`;
  else yield 'links       cannot be tried: the cache or the working tree cannot be written to';
  if (temporary.files > 0) {
    const left =
      stale.files > 0
        ? `; ${formatCount(stale.files, 'file')} (${formatBytes(stale.bytes)}) of killed processes, which mlv add and fsck --repair remove`
        : '';
    yield `temporary   ${formatCount(temporary.files, 'file')} (${formatBytes(temporary.bytes)})${left}`;
  }
  if (corrupt.files > 0)
    yield `set aside   ${formatCount(corrupt.files, 'damaged object')} (${formatBytes(corrupt.bytes)}) in corrupt/`;
  if (!own)
    yield `shared      ${group ? 'by a group' : 'by its user only'}, ${formatCount(repositories.length, 'other repository', 'other repositories')}`;
  yield* repositories.map(({ worktree }) => `            ${quotePath(worktree)}`);
}

import { constants, copyFileSync, linkSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { LINK_MODES, type LinkMode } from '../../core/link-mode.js';
import { makeCacheDirectory } from '../../objects/group-directory.js';
import { TemporaryFiles } from '../../objects/temporary-files.js';
import { absolutePath } from '../../workspace/paths.js';
import { temporaryBeside } from '../../workspace/workspace-temporary.js';
import type { OpenRepository } from '../context.js';
import { type Check, ok } from './check.js';

const MAKE: Record<LinkMode, (from: string, to: string) => void> = {
  reflink: (from, to) => copyFileSync(from, to, constants.COPYFILE_FICLONE_FORCE),
  copy: (from, to) => copyFileSync(from, to),
  hardlink: (from, to) => linkSync(from, to),
  symlink: (from, to) => symlinkSync(from, to),
};

/** Tries every link mode from the cache into the working tree, with real files that are removed again. */
export function checkLinkModes({ cache, layout, settings }: OpenRepository): Check {
  const name = 'link modes';
  try {
    return judged(tryModes({ cache, layout }), settings.linkModes);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return {
      name,
      state: 'problem',
      message: `the cache or the working tree cannot be written: ${reason}`,
      hint: 'check the permissions',
    };
  }
}

/** The link modes that work from the cache into the working tree; undefined where files cannot be made there. */
export function linkModesHere(repository: Pick<OpenRepository, 'cache' | 'layout'>): LinkMode[] | undefined {
  try {
    return tryModes(repository);
  } catch {
    return undefined;
  }
}

function tryModes({ cache, layout }: Pick<OpenRepository, 'cache' | 'layout'>): LinkMode[] {
  makeCacheDirectory(cache.directory);
  const source = new TemporaryFiles(cache.temporary.directory).next();
  writeFileSync(source, 'mlv doctor\n');
  try {
    return LINK_MODES.filter((mode) => tryMode(mode, source, temporaryBeside(absolutePath(layout, 'x'))));
  } finally {
    rmSync(source, { force: true });
  }
}

function tryMode(mode: LinkMode, source: string, target: string): boolean {
  try {
    MAKE[mode](source, target);
    return readFileSync(target, 'utf8') === 'mlv doctor\n';
  } catch {
    return false;
  } finally {
    rmSync(target, { force: true });
  }
}

function judged(works: readonly LinkMode[], wanted: readonly LinkMode[]): Check {
  const used = wanted.find((mode) => works.includes(mode)) ?? 'copy';
  const data = { supported: works, configured: wanted, used };
  if (!works.includes('copy')) {
    return {
      name: 'link modes',
      state: 'problem',
      message: 'no file can be made in the working tree',
      hint: 'check the permissions',
      data,
    };
  }
  return ok('link modes', `${works.join(', ')} work here; ${used} is used (cache.link: ${wanted.join(',')})`, data);
}

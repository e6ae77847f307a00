import { readFileSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { MlvError } from '../../core/errors.js';
import type { WantedContent } from '../../interop/content-collection.js';
import type { StandIn } from '../../interop/fill-workspace.js';
import { type AttributesFile, mentionsLfs, parseAttributes } from '../../interop/lfs-attributes.js';
import type { LfsObject } from '../../interop/lfs-batch.js';
import { convertLfs, isLfsRelevant, type LfsFile, readLfs, ungroupable } from '../../interop/lfs-conversion.js';
import {
  contentId,
  type LfsPointer,
  lfsObjectPath,
  MAX_LFS_POINTER,
  parseLfsPointer,
} from '../../interop/lfs-pointer.js';
import { isPlainFile, type State, type StateFile, textPath } from '../../interop/rewrite-state.js';
import { sealFiles } from '../../interop/tree-of-files.js';
import { isWithin, type RepositoryPath } from '../../workspace/paths.js';
import { GIT_FILE_LIMIT, readWholeTextFile } from '../../workspace/text-file.js';
import type { OpenRepository } from '../context.js';
import type { Session } from '../session.js';
import { LfsContents } from './lfs-contents.js';
import { endpointOf, objectPlaces } from './lfs-places.js';
import type { MigratedState, Migration, TakenFrom } from './migration.js';
import { projectTextOf } from './report.js';
import { migratedTexts } from './texts.js';

export interface LfsOptions {
  /** Directories that become one pointer each. */
  groups: readonly RepositoryPath[];
  /** Git remote whose server is asked. */
  remote: string | undefined;
}

/** Migration from Git LFS: pointers, attribute files, local objects and the batch API of a server. */
export class LfsMigration implements Migration {
  left: string[] = [];
  private readonly pointers = new Map<string, LfsPointer>();
  private texts: ReadonlyMap<string, string> = new Map();
  private readonly contents: LfsContents;
  private readonly projectText: string | undefined;
  private readonly above: AttributesFile | undefined;
  private headFiles = new Map<RepositoryPath, LfsFile>();
  /** Files of HEAD that hold more than a pointer. */
  private plainPaths: RepositoryPath[] = [];

  constructor(
    private readonly session: Session,
    private readonly repository: OpenRepository & { project: { repository: string; hash: 'blake3' | 'sha256' } },
    private readonly options: LfsOptions,
  ) {
    this.contents = new LfsContents(session, repository.cache);
    this.projectText = projectTextOf(repository);
    const above = readWholeTextFile(join(repository.layout.commonDir, 'info', 'attributes'), GIT_FILE_LIMIT);
    this.above = above && 'text' in above ? parseAttributes(above.text) : undefined;
  }

  /** Where contents came from, or would. */
  get taken(): TakenFrom {
    return this.contents.taken;
  }

  /** The server that was asked. */
  get remoteName(): string | undefined {
    return this.contents.server;
  }

  readonly isRelevant = (path: RepositoryPath, { blob }: StateFile): boolean =>
    this.pointers.has(blob) || isLfsRelevant(path) || this.options.groups.some((group) => isWithin(path, group));

  /** What Git LFS tracked leaves Git, and its content stays. */
  readonly stays = (path: RepositoryPath): boolean => this.headFiles.has(path);

  async load(commits: Parameters<Migration['load']>[0], head: Parameters<Migration['load']>[1]): Promise<void> {
    const blobs = new Set<string>();
    const named = new Map<string, RepositoryPath>();
    for (const { changes } of [...commits, { changes: head }]) {
      for (const { path, mode, blob } of changes) {
        const text = isPlainFile(mode) ? textPath(path) : undefined;
        if (text === undefined) continue;
        blobs.add(blob);
        if (isLfsRelevant(text)) named.set(blob, text);
      }
    }
    const rewriting = await this.repository.git.rewriting();
    for (const [blob, bytes] of await rewriting.smallBlobs([...blobs], MAX_LFS_POINTER)) {
      const pointer = parseLfsPointer(bytes);
      if (pointer) this.pointers.set(blob, pointer);
    }
    const sizes = await rewriting.sizes(head.map(({ blob }) => blob));
    this.plainPaths = head.flatMap(({ path, mode, blob }) => {
      const isPlain = isPlainFile(mode) && !this.pointers.has(blob) && (sizes.get(blob) ?? 0) > 0;
      return isPlain ? (textPath(path) ?? []) : [];
    });
    this.texts = await migratedTexts(rewriting, named);
  }

  async take(states: () => Iterable<State>, head: State, dryRun: boolean): Promise<void> {
    const current = readLfs(head, this.reading);
    this.headFiles = new Map(current.files.map((file) => [file.path, file]));
    this.refuseGroups(head, current);
    this.left = current.untracked.map(
      (path) => `${path}: a pointer of Git LFS under no filter, and so a file of its own`,
    );
    for (const path of this.plainPaths) {
      if (current.filters.tracks(path))
        this.left.push(`${path}: under the filter of Git LFS, but its content is in Git, and stays there`);
    }
    if (this.above && mentionsLfs(this.above))
      this.left.push('.git/info/attributes: the filter of Git LFS, in this clone only');
    const git = await this.repository.git.rewriting();
    const settings = { remote: this.options.remote, lfsconfig: this.texts.get(head.get('.lfsconfig')?.blob ?? '') };
    const endpoint = await endpointOf(this.repository, git, settings);
    const places = await objectPlaces(this.repository.layout, git, endpoint);
    const wanted = new Map<string, WantedContent>();
    const objects = new Map<string, LfsObject>();
    const add = ({ path, pointer }: LfsFile, isCurrent: boolean): void => {
      const id = contentId(pointer);
      if (pointer.extensions.length === 0) objects.set(id.hex, pointer);
      if (wanted.has(id.hex)) return;
      const own = isCurrent ? [join(this.repository.layout.worktree, path)] : [];
      wanted.set(id.hex, { id, places: [...own, ...places.map((place) => join(place, lfsObjectPath(id.hex)))] });
    };
    for (const file of current.files) add(file, true);
    for (const state of states()) for (const file of readLfs(state, this.reading).files) add(file, false);
    await this.contents.take({ wanted: [...wanted.values()], objects, dryRun }, { git, endpoint });
  }

  private get reading() {
    return {
      pointer: (blob: string) => this.pointers.get(blob),
      text: (blob: string) => this.texts.get(blob),
      ...(this.above && { above: this.above }),
    };
  }

  private refuseGroups(head: State, reading: ReturnType<typeof readLfs>): void {
    for (const group of this.options.groups) {
      const others = ungroupable(head, reading, group);
      if (others.length === 0) continue;
      throw new MlvError(
        'TRACKED_BY_GIT',
        `'${group}' cannot become one pointer: '${others[0]}' in it is a file of Git itself`,
        {
          hint: `move such files elsewhere first, or leave --group ${group} out`,
          data: { path: group, paths: others.slice(0, 100) },
        },
      );
    }
  }

  convert(state: State): MigratedState {
    const { cache } = this.repository;
    const { overlay, converted, kept } = convertLfs(state, {
      ...this.reading,
      contentOf: (pointer) => this.contents.contentOf(pointer),
      missing: (path, pointer) => this.contents.missing(path, pointer),
      oid: ({ digest }) => cache.oid(digest),
      seal: (files) => sealFiles(files, (bytes) => this.contents.addTree(bytes)),
      groups: this.options.groups,
      project: this.repository.project,
      projectText: this.projectText,
      home: this.session.home,
    });
    const pointers = converted.map(({ path, pointer, files }) => ({
      path,
      file: path,
      pointer,
      files: files.map((file) => ({
        path: file.path === path ? '' : file.path.slice(path.length + 1),
        id: contentId(file.pointer),
      })),
    }));
    return { overlay, pointers, kept };
  }

  /** Drops what did not get its name. */
  end(): void {
    this.contents.end();
  }

  /** Trees that the conversion made. */
  async settle(): Promise<void> {
    await this.contents.settle();
  }

  /** Files whose pointer was never replaced by the content, as where git-lfs is not installed. */
  *standIns({ pointers }: MigratedState): Generator<StandIn> {
    const { cache } = this.repository;
    for (const { path, files } of pointers) {
      for (const { path: below, id } of files) {
        const place = below === '' ? path : `${path}/${below}`;
        const content = this.contents.get(id);
        const file = this.headFiles.get(place);
        if (!content || !file) continue;
        const isStandIn = (absolute: string, stat: Stats): boolean =>
          stat.isFile() &&
          stat.size <= MAX_LFS_POINTER &&
          parseLfsPointer(readFileSync(absolute))?.oid === file.pointer.oid;
        yield {
          path: place,
          oid: cache.oid(content.digest),
          size: content.size,
          executable: file.executable,
          isStandIn,
        };
      }
    }
  }
}

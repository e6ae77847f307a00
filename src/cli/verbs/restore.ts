import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileSystemError, MlvError } from '../../core/errors.js';
import type { Manifest } from '../../registry/manifest.js';
import { encodeManifest } from '../../registry/manifest-format.js';
import { resolveReference, versionName, viewsInTime } from '../../registry/reference-resolve.js';
import { openRegistryHere } from '../open-registry.js';
import { quotePath } from '../render/quote.js';
import { restoreVersion } from '../restored-version.js';
import type { Session } from '../session.js';
import { type Result, textOption, type VerbInput } from '../verb.js';

/** Directory with what is known of the version, which Git ignores. */
const ABOUT = '.mlv-version';

/** `mlv restore`: see its declaration. Errors: `TARGET_EXISTS`, `OBJECT_MISSING`, those of resolveReference and pull. */
export async function run(session: Session, { args: [reference = ''], options }: VerbInput): Promise<Result> {
  const open = await openRegistryHere(session);
  const view = await open.registry.viewOrFetch();
  const { version } = await resolveReference(view, reference, { viewAtTime: viewsInTime(open.registry) });
  const name = versionName(version);
  const manifest = await view.manifest(version.model, version.version);
  const parent = dirname(open.git.layout.worktree);
  const directory = resolve(session.cwd, textOption(options.to) ?? join(parent, name.replace('@', '-')));
  if (existsSync(directory)) {
    throw new MlvError('TARGET_EXISTS', `'${directory}' is there already`, {
      hint: `choose another place: mlv restore ${name} --to <directory>`,
      data: { path: directory },
    });
  }
  await restoreVersion(session, { open, view, version }, { directory });
  describe(directory, manifest);
  return {
    done: [`restored ${name} in ${quotePath(directory)}, a linked working tree at ${manifest.commit.slice(0, 10)}`],
    json: {
      version: name,
      directory,
      commit: manifest.commit,
      difference: manifest.difference !== undefined,
      about: ABOUT,
    },
    notes: [
      `its manifest, environment and packages are described in ${ABOUT}/`,
      `when it is no longer needed: git worktree remove --force ${quotePath(directory)}`,
    ],
  };
}

function describe(directory: string, manifest: Manifest): void {
  const about = join(directory, ABOUT);
  const { environment = {} } = manifest;
  const packages = environment.packages ?? [];
  const files = {
    '.gitignore': '*\n',
    'manifest.yaml': encodeManifest(manifest),
    'environment.json': `${JSON.stringify(environment, undefined, 2)}\n`,
    ...(packages.length > 0 && { 'requirements.txt': `${packages.join('\n')}\n` }),
  };
  try {
    mkdirSync(about, { recursive: true });
    for (const [name, content] of Object.entries(files)) writeFileSync(join(about, name), content);
  } catch (error) {
    throw fileSystemError('write', about, error);
  }
}

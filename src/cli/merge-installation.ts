import type { Git, MergeSetup } from '../git/git.js';
import { ATTRIBUTES_FILE, addAttributes, hasAttributes, removeAttributes } from '../workspace/git-attributes-file.js';

/** What was done to have Git merge and show pointers with mlv, or to end it. */
export interface MergeInstallation {
  /** Whether the configuration of this clone changed. */
  driver: boolean;
  /** Whether .gitattributes changed. */
  attributes: boolean;
}

/** Sets the driver up; .gitattributes is left alone where other attributes do the same. Errors: those of Git and files. */
export async function installMerging(git: Git): Promise<MergeInstallation> {
  const { attributes } = await git.mergeSetup();
  return { attributes: !attributes && addAttributes(git.layout), driver: await git.installMergeDriver() };
}

/** Takes it back; lines of .gitattributes that are committed stay, since they are everyone's. */
export async function removeMerging(git: Git): Promise<MergeInstallation> {
  const driver = await git.removeMergeDriver();
  return { driver, attributes: !(await attributesAreCommitted(git)) && removeAttributes(git.layout) };
}

async function attributesAreCommitted(git: Git): Promise<boolean> {
  if ((await git.head()) === undefined) return false;
  const files = await git.listFiles({ kind: 'revision', revision: 'HEAD' }, ATTRIBUTES_FILE);
  const committed = files.find(({ path }) => path === ATTRIBUTES_FILE);
  if (!committed) return false;
  const text = (await git.readBlobs([committed.blob])).get(committed.blob)?.toString('utf8');
  return text !== undefined && hasAttributes(text);
}

/** What a clone does with pointers in a merge, in words. */
export function mergingWords({ driver, attributes }: MergeSetup): string {
  if (driver === 'absent') {
    return attributes ? 'not installed here: Git merges pointers as text' : 'not installed';
  }
  if (!attributes) return 'installed, but no attributes give pointers to it';
  return driver === 'current' ? 'installed' : 'installed by another version of mlv';
}

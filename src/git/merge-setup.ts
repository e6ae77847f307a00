import type { GitContext } from './context.js';
import type { MergeSetup } from './git.js';

/**
 * What a clone's configuration says so that Git calls mlv for the files that attributes give to `mlv`. Between common
 * ancestors (criss-cross merges) nothing may be decided for either side, which is another call.
 */
const SETTINGS: readonly (readonly [key: string, value: string])[] = [
  ['merge.mlv.name', 'pointers of mlv'],
  ['merge.mlv.driver', 'mlv merge-driver -- %O %A %B %P'],
  ['merge.mlv.recursive', 'mlv-ancestor'],
  ['merge.mlv-ancestor.name', 'pointers of mlv, between common ancestors'],
  ['merge.mlv-ancestor.driver', 'mlv merge-driver --ancestor -- %O %A %B %P'],
  ['diff.mlv.textconv', 'mlv textconv'],
];
const SECTIONS = ['merge.mlv', 'merge.mlv-ancestor', 'diff.mlv'];

/** How the driver is set up: two Git processes. Error: `GIT_FAILED`. */
export async function mergeSetup(context: GitContext): Promise<MergeSetup> {
  const values = await settings(context);
  const isCurrent = SETTINGS.every(([key, value]) => values.get(key) === value);
  const driver = isCurrent ? 'current' : values.has('merge.mlv.driver') ? 'outdated' : 'absent';
  const asked = ['check-attr', '-z', 'merge', 'diff', '--', 'any.mlv'];
  const fields = (await context.run(asked)).stdout.toString('utf8').split('\0');
  return { driver, attributes: fields[2] === 'mlv' && fields[5] === 'mlv' };
}

/** Sets what is not set yet; gives whether that was anything. Error: `GIT_FAILED`. */
export async function installMergeDriver(context: GitContext): Promise<boolean> {
  const values = await settings(context);
  const missing = SETTINGS.filter(([key, value]) => values.get(key) !== value);
  for (const [key, value] of missing) await context.run(['config', '--local', '--replace-all', key, value]);
  return missing.length > 0;
}

/** Takes the settings away; gives whether there were any. Error: `GIT_FAILED`. */
export async function removeMergeDriver(context: GitContext): Promise<boolean> {
  const keys = [...(await settings(context)).keys()];
  const sections = SECTIONS.filter((section) => keys.some((key) => key.startsWith(`${section}.`)));
  for (const section of sections) await context.run(['config', '--local', '--remove-section', section]);
  return sections.length > 0;
}

async function settings(context: GitContext): Promise<Map<string, string>> {
  const pattern = '^(merge\\.mlv|merge\\.mlv-ancestor|diff\\.mlv)\\.';
  const args = ['config', '--local', '-z', '--get-regexp', pattern];
  const text = (await context.run(args, { accept: [0, 1] })).stdout.toString('utf8');
  const found = new Map<string, string>();
  for (const entry of text.split('\0')) {
    const end = entry.indexOf('\n');
    if (end > 0) found.set(entry.slice(0, end), entry.slice(end + 1));
  }
  return found;
}

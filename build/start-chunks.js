import { basename, relative, sep } from 'node:path';

/** What a third of the verbs needs is loaded with every verb. */
const COMMON_SHARE = 1 / 3;
/** What so many verbs need, or a group of it, is worth a file of its own. */
const SHARED_COUNT = 4;

/**
 * Decides which modules are together in a file of `dist/`: few large files load faster than many small ones, but
 * nothing may load what is large and not for it. Takes paths below `root`:
 *
 * - `first`: what nearly every verb runs before its own module
 * - `verbs`: the folder of the verbs
 * - `whole`: by the name of a file, what is in it together with all that nothing else of ours needs
 * - `light`: what must load nothing but its own
 *
 * Gives a plugin, which looks at the whole program, and groups for the bundler's `codeSplitting`. What they leave
 * alone, the bundler puts with what is needed by the same.
 */
export function startChunks({ root, ...places }) {
  const chunks = new Map();
  const plugin = {
    name: 'start-chunks',
    buildEnd() {
      chunks.clear();
      const below = (id) => relative(root, id).split(sep).join('/');
      const needs = neededBy([...this.getModuleIds()].map((id) => this.getModuleInfo(id)));
      const count = [...needs.entries].filter((id) => below(id).startsWith(`${places.verbs}/`)).length;
      for (const [id, entries] of needs.modules) {
        const chunk = chunkOf(below(id), entries.map(below), { ...places, count });
        if (chunk !== undefined) chunks.set(id, chunk);
      }
    },
  };
  // What is most needed chooses first.
  const groups = [/^for-/, /^common$/, /^shared-/, /^/].map((names, index) => ({
    debugName: `start-chunks ${names.source}`,
    priority: 4 - index,
    includeDependenciesRecursively: false,
    name: (id) => (names.test(chunks.get(id) ?? '') ? chunks.get(id) : null),
  }));
  return { plugin, groups };
}

/** The entries (the program's, and what is imported when it is needed), and by module those that load it. */
function neededBy(infos) {
  const byId = new Map(infos.map((info) => [info.id, info]));
  const entries = new Set();
  for (const info of infos) {
    if (info.isEntry) entries.add(info.id);
    for (const id of info.dynamicallyImportedIds) if (byId.has(id)) entries.add(id);
  }
  const modules = new Map();
  for (const entry of entries) {
    const reached = new Set([entry]);
    for (const id of reached) for (const next of byId.get(id)?.importedIds ?? []) if (byId.has(next)) reached.add(next);
    for (const id of reached) modules.set(id, [...(modules.get(id) ?? []), entry]);
  }
  return { entries, modules };
}

function chunkOf(path, entries, { first, verbs, whole, light, count }) {
  const lightly = entries.filter((entry) => light.includes(entry)).map((entry) => basename(entry, '.ts'));
  // The files that light entries share with each other and with verbs are small.
  if (lightly.length > 0) return `for-${together(lightly).join('-')}`;
  const share = entries.filter((entry) => entry.startsWith(`${verbs}/`)).length;
  if (share >= count * COMMON_SHARE || entries.some((entry) => first.includes(entry))) return 'common';
  if (share >= SHARED_COUNT) return path.startsWith('src/') ? `shared-${path.split('/')[1]}` : 'shared-libraries';
  const ours = entries.filter((entry) => entry.startsWith('src/'));
  return Object.keys(whole).find((name) => ours.length > 0 && ours.every((entry) => whole[name].includes(entry)));
}

/** What threads share with other light entries is one file, whichever threads: more files would take longer to find. */
function together(lightly) {
  const isThread = (name) => name.endsWith('-worker');
  const names = lightly.every(isThread) ? lightly : lightly.map((name) => (isThread(name) ? 'threads' : name));
  return [...new Set(names)].sort();
}

/** What users of Git, DVC and Unix type, and what mlv calls it: the first of the candidates that the verb has. */
const OPTIONS: Record<string, readonly string[]> = {
  '--all': ['--all-branches', '--recursive'],
  '--branches': ['--all-branches'],
  '--cached': ['--staged', '--keep'],
  '--cloud': ['--remote'],
  '--concurrency': ['--jobs'],
  '--cwd': ['-C'],
  '--destination': ['--remote'],
  '--format': ['--json'],
  '--from': ['--remote'],
  '--human-readable': ['--bytes'],
  '--keep-files': ['--keep'],
  '--license': ['--licence'],
  '--maximize': ['--higher'],
  '--minimize': ['--lower'],
  '--output': ['--json'],
  '--overwrite': ['--force'],
  '--parallel': ['--jobs'],
  '--revision': ['--rev'],
  '--short': ['--quiet'],
  '--silent': ['--quiet'],
  '--simulate': ['--dry-run'],
  '--staged': ['--cached'],
  '--storage': ['--remote'],
  '--tags': ['--all-tags'],
  '--threads': ['--jobs'],
  '--to': ['--remote'],
  '--verbose': ['--all', '--long', '--debug'],
  '--what-if': ['--dry-run'],
  '--workers': ['--jobs'],
  '-A': ['--all', '--all-branches'],
  '-R': ['--recursive'],
  '-a': ['--all', '--all-branches'],
  '-d': ['--dry-run'],
  '-f': ['--force'],
  '-l': ['--long'],
  '-s': ['--stat', '--quiet'],
  '-v': ['--all', '--long', '--debug'],
  '-y': ['--yes'],
};

/** By `verb` or `verb subverb`: the command to use instead. */
const COMMANDS: Record<string, string> = {
  check: 'mlv fsck',
  clone: 'git clone <url>, then mlv pull in it',
  commit: 'git add and git commit record pointers',
  'config --list': 'mlv config list',
  'config -l': 'mlv config list',
  'config edit': 'mlv config set <key> <value>',
  delete: 'mlv rm',
  download: 'mlv pull',
  list: 'mlv ls',
  move: 'mlv mv',
  prune: 'mlv gc',
  'remote -v': 'mlv remote list',
  'remote del': 'mlv remote remove',
  'remote delete': 'mlv remote remove',
  'remote ls': 'mlv remote list',
  'remote modify': 'mlv config set --project remote.<name>.<key> <value>',
  'remote rm': 'mlv remote remove',
  'remote set-default': 'mlv remote default',
  'remote set-url': 'mlv config set --project remote.<name>.url <url>',
  'remote show': 'mlv remote list',
  remove: 'mlv rm',
  rename: 'mlv mv',
  restore: 'mlv checkout',
  show: 'mlv cat',
  size: 'mlv du',
  'sparse add': 'mlv pull <path>',
  'sparse disable': 'mlv pull <directory>',
  'sparse reapply': 'mlv checkout',
  'sparse-checkout': 'mlv sparse set <path...>, and mlv pull <directory> for all of it',
  sync: 'mlv pull, or mlv push',
  track: 'mlv add',
  unlock: 'mlv unprotect',
  untrack: 'mlv rm --keep',
  upload: 'mlv push',
  verify: 'mlv fsck',
};

/** The option that is meant by one that a verb does not have, of those that it has; undefined where none is known. */
export function meantOption(given: string, known: readonly string[]): string | undefined {
  const candidates = Object.hasOwn(OPTIONS, given) ? OPTIONS[given] : undefined;
  return candidates?.find((candidate) => known.includes(candidate));
}

/** The command that is meant by words that name none, as the end of a hint; undefined where none is known. */
export function meantCommand(words: string): string | undefined {
  return Object.hasOwn(COMMANDS, words) ? COMMANDS[words] : undefined;
}

/** The hooks that mlv has something to do in. */
export const HOOK_NAMES = [
  'post-checkout',
  'post-merge',
  'post-rewrite',
  'post-commit',
  'pre-commit',
  'pre-push',
] as const;
export type HookName = (typeof HOOK_NAMES)[number];

/** Ends the name under which a hook that was there before is kept beside mlv's. */
export const PREVIOUS_SUFFIX = '.before-mlv';

const MARK = '# mlv: written by `mlv hooks install`; `mlv hooks uninstall` puts back what was here before.';

/**
 * Most commits hold what the workspace has. Those that end a merge with conflicts, a cherry-pick or a revert brought
 * pointers from elsewhere; the reflog tells, and Node is not even started for the others.
 */
const ONLY_BROUGHT = [
  `case "$(git log -g -1 --format=%gs 2>/dev/null)" in`,
  "  'commit (merge)'*|'commit (cherry-pick)'*|cherry-pick*|revert*) ;;",
  '  *) exit 0 ;;',
  'esac',
];

/** True for the text of a hook that mlv wrote. */
export function isOurHook(text: string): boolean {
  return text.includes(MARK);
}

/**
 * The hook's file, for a POSIX shell. The hook that was there before runs first, with the same arguments and input, and
 * what it refuses stays refused. Where `mlv` is not on the PATH (another machine, a graphical Git) it does nothing.
 * What Git gives as input is kept in a variable, since two programs read it; it is text without NUL.
 */
export function hookScript(name: HookName): string {
  const readsInput = name === 'pre-push' || name === 'post-rewrite';
  const feed = readsInput ? `printf '%s\\n' "$input" | ` : '';
  return [
    '#!/bin/sh',
    MARK,
    ...(readsInput ? ['input=$(cat)'] : []),
    `previous="$(dirname -- "$0")/${name}${PREVIOUS_SUFFIX}"`,
    'if [ -x "$previous" ]; then',
    `  ${feed}"$previous" "$@" || exit $?`,
    'fi',
    '# MLV_HOOKS=0 skips what follows.',
    'if [ "$MLV_HOOKS" = 0 ] || ! command -v mlv >/dev/null 2>&1; then exit 0; fi',
    ...(name === 'post-commit' ? ONLY_BROUGHT : []),
    readsInput ? `${feed}mlv hook ${name} "$@"` : `exec mlv hook ${name} "$@"`,
    '',
  ].join('\n');
}

/** Options of Git itself under which it runs no hook. */
export const NO_HOOKS: readonly string[] = ['-c', 'core.hooksPath=/dev/null'];

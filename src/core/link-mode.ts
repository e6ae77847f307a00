/** How a cached object becomes a file of the workspace: what `cache.link` may name, in no order of preference. */
export const LINK_MODES = ['reflink', 'copy', 'hardlink', 'symlink'] as const;
/** One of LINK_MODES. */
export type LinkMode = (typeof LINK_MODES)[number];

import type { RegistryStatus } from '../../registry/registry.js';
import { openRegistryHere } from '../open-registry.js';
import { formatCount } from '../render/units.js';
import type { Session } from '../session.js';
import type { Result, VerbInput } from '../verb.js';

/** `mlv registry status`: see its declaration. Errors: those of Registry.status. */
export async function run(session: Session, { options }: VerbInput): Promise<Result> {
  const { registry } = await openRegistryHere(session);
  const status = await registry.status({ fetch: options.fetch === true });
  const { remote, local, remoteTip, ahead, behind } = status;
  const json = { remote: remote ?? null, local: local ?? null, remoteTip: remoteTip ?? null, ahead, behind };
  return { text: [describe(status)], json, notes: notesOn(status) };
}

function describe({ remote, local, remoteTip, ahead, behind }: RegistryStatus): string {
  if (local === undefined && remoteTip === undefined) return 'no registry yet';
  if (remote === undefined) return 'only in this clone: Git has no remote';
  if (remoteTip === undefined) return `not on ${remote} yet: ${formatCount(ahead, 'change')} only in this clone`;
  if (ahead === 0 && behind === 0) return `as on ${remote}`;
  const parts = [
    ahead > 0 && `${formatCount(ahead, 'change')} only in this clone`,
    behind > 0 && `${behind} only on ${remote}`,
  ];
  return parts.filter(Boolean).join(', ');
}

function notesOn({ remote, local, remoteTip, ahead, behind }: RegistryStatus): string[] {
  if (local === undefined && remoteTip === undefined) return ['start with: mlv register <model> [artifacts…]'];
  if (remote === undefined) return [];
  if (ahead > 0) return ['send them: mlv registry push'];
  return behind > 0 && local !== undefined ? ['take them over: mlv registry pull'] : [];
}

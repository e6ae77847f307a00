import * as config from '../config/remote-choice.js';
import type { Remote } from '../remotes/remote.js';
import * as transfer from '../transfer/open-transfer.js';
import type { OpenRepository } from './context.js';
import type { Session } from './session.js';

export type { OpenTransfer } from '../transfer/open-transfer.js';

/** What transfers need of a run of the program. */
export function transferContext(session: Session, repository: OpenRepository): transfer.TransferContext {
  const { reporter, signal, env: environment, home } = session;
  return { repository, reporter, signal, environment, home };
}

/** Opens a remote by its name. Errors: `REMOTE_NOT_CONFIGURED`, those of openRemote. */
export function openTransfer(
  session: Session,
  repository: OpenRepository,
  name: string,
): Promise<transfer.OpenTransfer> {
  return transfer.openTransfer(transferContext(session, repository), name);
}

/** A remote by its name, without retry: for one look at it. Errors as openTransfer. */
export function openNamed(session: Session, repository: OpenRepository, name: string): Promise<Remote> {
  return transfer.openNamed(transferContext(session, repository), name);
}

/** The remote that a command without an option for it uses. Error: `REMOTE_NOT_CONFIGURED`. */
export function defaultRemote(repository: OpenRepository): string {
  return config.defaultRemote(repository.config);
}

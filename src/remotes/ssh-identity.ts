import type { AnyAuthMethod } from 'ssh2';
import { MlvError } from '../core/errors.js';
import { type KeyFile, OrderedAgent, readKeyFiles } from './ssh-keys.js';
import type { SshSettings } from './ssh-settings.js';

export interface IdentityOptions {
  settings: SshSettings;
  /** The key to be used, whatever the SSH configuration says. */
  identityFile?: string | undefined;
  environment: Readonly<Record<string, string | undefined>>;
}

/** One way to prove who the user is. */
export interface Identity {
  /** For messages: `the key ~/.ssh/id_ed25519`, `the SSH agent (2 keys)`. */
  name: string;
  method: AnyAuthMethod;
}

/** What there is to prove who the user is with, in the order to be tried. */
export interface Identities {
  list: Identity[];
  /** Everything that was looked for, for messages. */
  tried: string[];
  /** What would help, where a key was found that cannot be used. */
  hint: string | undefined;
}

const WINDOWS_AGENT = '\\\\.\\pipe\\openssh-ssh-agent';

/**
 * Looks for keys: those of the agent, the ones that the key files name first, then key files without a passphrase.
 * Error: `CONFIG_INVALID` for an identity file of the settings that is not there.
 */
export async function findIdentities(options: IdentityOptions): Promise<Identities> {
  const { settings, identityFile } = options;
  const paths = identityFile === undefined ? settings.identityFiles : [identityFile];
  const files = await readKeyFiles(paths);
  if (identityFile !== undefined && files.length === 0) throw noSuchFile(identityFile);
  const only = identityFile !== undefined || settings.identitiesOnly;
  const username = settings.user;
  const agent = await agentIdentity(options, files, only);
  const keys = files.flatMap(({ path, content }): Identity[] =>
    content ? [{ name: `the key ${path}`, method: { type: 'publickey', username, key: content } }] : [],
  );
  const tried = [agent ? agent.name : 'the SSH agent (SSH_AUTH_SOCK), which does not answer', ...paths];
  return { list: [...(agent ? [agent] : []), ...keys], tried, hint: lockedHint(files) };
}

async function agentIdentity(
  { settings, environment }: IdentityOptions,
  files: readonly KeyFile[],
  only: boolean,
): Promise<Identity | undefined> {
  const fallback = process.platform === 'win32' ? WINDOWS_AGENT : undefined;
  const socket = settings.agent ?? environment.SSH_AUTH_SOCK ?? fallback;
  if (!socket || socket === 'none') return undefined;
  const preferred = files.flatMap(({ publicKey }) => (publicKey ? [publicKey] : []));
  const agent = new OrderedAgent(socket, preferred, only);
  const count = await agent.count();
  if (!count) return undefined;
  const name = `the SSH agent (${count} ${count === 1 ? 'key' : 'keys'})`;
  return { name, method: { type: 'agent', username: settings.user, agent } };
}

/** A key that has a passphrase is the agent's business: mlv asks for none. */
function lockedHint(files: readonly KeyFile[]): string | undefined {
  const locked =
    files.find(({ content, onlyPublic }) => !content && !onlyPublic) ?? files.find(({ content }) => !content);
  if (locked?.onlyPublic)
    return `the private key ${locked.path} is not there, or cannot be read: put it there, or give it to the agent (ssh-add)`;
  return (
    locked &&
    `the key ${locked.path} has a passphrase or another form: give it to the agent first: ssh-add ${locked.path}`
  );
}

function noSuchFile(path: string): MlvError {
  return new MlvError('CONFIG_INVALID', `the identity file '${path}' cannot be read`, {
    hint: 'correct remote.<name>.identity-file (mlv config set), or unset it to use the SSH agent and ~/.ssh',
    data: { path },
  });
}

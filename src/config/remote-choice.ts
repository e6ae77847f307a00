import { MlvError } from '../core/errors.js';
import type { Config, RemoteSettings } from './config.js';

/** The settings of a remote that has an address. Error: `REMOTE_NOT_CONFIGURED`. */
export function remoteSettings(config: Config, name: string): RemoteSettings & { readonly url: string } {
  const settings = config.remotes.get(name);
  if (settings?.url === undefined) throw unknownRemote(name, config);
  return { ...settings, url: settings.url };
}

/** The remote that a command without an option for it uses. Error: `REMOTE_NOT_CONFIGURED`. */
export function defaultRemote(config: Config): string {
  const { remote } = config.core;
  if (remote !== undefined) return remote;
  const names = [...config.remotes.keys()];
  throw new MlvError('REMOTE_NOT_CONFIGURED', 'there is no default remote', {
    hint:
      names.length > 0
        ? `choose one of ${names.join(', ')}: mlv remote default <name>`
        : 'add one: mlv remote add origin <directory or s3://bucket/prefix>',
    data: { remotes: names },
  });
}

/** The `REMOTE_NOT_CONFIGURED` error for a name that no remote has. */
export function unknownRemote(name: string, config: Config): MlvError {
  const names = [...config.remotes.keys()];
  const data = { name, remotes: names };
  if (config.remotes.has(name)) {
    const hint = `give it one: mlv config set remote.${name}.url <directory or s3://bucket/prefix>`;
    return new MlvError('REMOTE_NOT_CONFIGURED', `the remote '${name}' has no address`, { hint, data });
  }
  return new MlvError('REMOTE_NOT_CONFIGURED', `there is no remote '${name}'`, {
    hint:
      names.length > 0
        ? `the remotes are: ${names.join(', ')}`
        : `add it: mlv remote add ${name} <directory or s3://bucket/prefix>`,
    data,
  });
}

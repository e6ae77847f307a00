import type { Config } from '../config/config.js';
import { MlvError } from '../core/errors.js';

/** The `REMOTE_NOT_CONFIGURED` error for a name that no remote has. */
export function unknownRemote(name: string, config: Config): MlvError {
  const names = [...config.remotes.keys()];
  return new MlvError('REMOTE_NOT_CONFIGURED', `there is no remote '${name}'`, {
    hint:
      names.length > 0
        ? `the remotes are: ${names.join(', ')}`
        : `add it: mlv remote add ${name} <directory or s3://bucket/prefix>`,
    data: { name, remotes: names },
  });
}

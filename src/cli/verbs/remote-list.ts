import { listSettings } from '../../config/config.js';
import { openConfig } from '../context.js';
import { originText } from '../render/settings.js';
import { alignColumns } from '../render/table.js';
import type { Session } from '../session.js';
import type { Result } from '../verb.js';

/** `mlv remote list`: see its declaration. Credentials are left out or redacted. Errors: those of loadConfig. */
export async function run(session: Session): Promise<Result> {
  const { config } = await openConfig(session);
  const settings = listSettings(config);
  const chosen = config.core.remote;
  const remotes = [...config.remotes.keys()].map((name) => {
    const own = settings.filter(({ key }) => key.startsWith(`remote.${name}.`));
    const options = Object.fromEntries(own.map(({ key, value }) => [key.slice(`remote.${name}.`.length), value]));
    const origin = own.find(({ key }) => key.endsWith('.url'))?.origin;
    return {
      name,
      url: options.url ?? null,
      default: name === chosen,
      level: origin?.level ?? null,
      origin,
      settings: options,
    };
  });
  const rows = remotes.map(({ name, url, origin, ...remote }) => [
    `${remote.default ? '*' : ' '} ${name}`,
    url ?? '(no URL)',
    session.style.dim([...mirror(remote.settings), ...(origin ? [originText(origin)] : [])].join(', ')),
  ]);
  return {
    text: alignColumns(rows),
    notes:
      remotes.length === 0
        ? ['there is no remote yet; add one: mlv remote add <name> <directory or s3://bucket/prefix>']
        : [],
    json: { default: chosen ?? null, remotes: remotes.map(({ origin: _origin, ...remote }) => remote) },
  };
}

function mirror({ 'mirror-of': mirrored }: Record<string, string>): string[] {
  return mirrored === undefined ? [] : [`mirror of ${mirrored}`];
}

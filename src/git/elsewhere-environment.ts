import { gitEnvironment } from './environment.js';

/** Variables that tie Git to the repository that it was started from. */
const TIES = [
  'GIT_DIR',
  'GIT_WORK_TREE',
  'GIT_COMMON_DIR',
  'GIT_INDEX_FILE',
  'GIT_OBJECT_DIRECTORY',
  'GIT_ALTERNATE_OBJECT_DIRECTORIES',
  'GIT_QUARANTINE_PATH',
  'GIT_NAMESPACE',
  'GIT_SHALLOW_FILE',
  'GIT_GRAFT_FILE',
  'GIT_REPLACE_REF_BASE',
  'GIT_CONFIG',
  'GIT_PREFIX',
  'GIT_CEILING_DIRECTORIES',
  'GIT_TEMPLATE_DIR',
];
const PROTOCOLS = ['file', 'git', 'http', 'https', 'ssh'];
/** The name under which Git knows the source; no file names its URL, which may hold credentials. */
export const SOURCE = 'mlv-source';
/** For a source on this machine, which would send everything where its own configuration does not allow filters. */
const LOCAL_UPLOAD_PACK = 'git -c uploadpack.allowFilter=true -c uploadpack.allowAnySHA1InWant=true upload-pack';

/** Git's settings here: no program but Git's own transports is started, and nothing is asked of anyone but the source. */
const SAFE: Readonly<Record<string, string>> = {
  'core.hooksPath': '/dev/null',
  'core.fsmonitor': 'false',
  'core.alternateRefsCommand': '',
  'fetch.recurseSubmodules': 'false',
  'fetch.writeCommitGraph': 'false',
  'fetch.bundleURI': '',
  'transfer.bundleURI': 'false',
  'gc.auto': '0',
  'maintenance.auto': 'false',
  'protocol.version': '2',
};

/**
 * The environment in which Git reads a repository of somebody else's: the user's own, so that credential helpers, SSH and
 * proxies work as always, without the ties to a repository, and with transports that run no command of the address.
 * Without a `url`, Git can reach nothing at all.
 */
export function elsewhereEnvironment(
  env: NodeJS.ProcessEnv,
  source?: { url: string; local: boolean },
): NodeJS.ProcessEnv {
  const result = gitEnvironment(env);
  for (const name of TIES) delete result[name];
  const allowed = env.GIT_ALLOW_PROTOCOL?.split(':');
  const protocols = PROTOCOLS.filter((each) => allowed === undefined || allowed.includes(each));
  result.GIT_ALLOW_PROTOCOL = source ? protocols.join(':') : 'none';
  if (!source) result.GIT_NO_LAZY_FETCH = '1';
  const settings: Record<string, string> = { ...SAFE };
  if (source) settings[`remote.${SOURCE}.url`] = source.url;
  if (source?.local) settings[`remote.${SOURCE}.uploadpack`] = LOCAL_UPLOAD_PACK;
  let count = Number(env.GIT_CONFIG_COUNT ?? 0) || 0;
  for (const [key, value] of Object.entries(settings)) {
    result[`GIT_CONFIG_KEY_${count}`] = key;
    result[`GIT_CONFIG_VALUE_${count}`] = value;
    count += 1;
  }
  result.GIT_CONFIG_COUNT = String(count);
  return result;
}

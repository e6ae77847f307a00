/**
 * The URL of a Git remote as others can use it: without user, password and query. Undefined for a path of this machine,
 * for a URL of the machine itself and for what is no URL: a document that travels must not name them.
 */
export function publicRepositoryUrl(url: string): string | undefined {
  const text = /^[^\s/:@]+@[^\s/:]+:(?!\/\/)/.test(url) ? `ssh://${url.replace(/^([^:]+):\/*/, '$1/')}` : url;
  if (!URL.canParse(text)) return undefined;
  const { protocol, host, hostname, pathname } = new URL(text);
  if (!['https:', 'http:', 'ssh:', 'git:'].includes(protocol) || hostname === '') return undefined;
  if (hostname === 'localhost' || hostname === '[::1]' || /^127\./.test(hostname)) return undefined;
  const user = protocol === 'ssh:' ? 'git@' : '';
  return `${protocol}//${user}${host}${pathname}`;
}

// A password may hold slashes and at signs itself (AWS secrets do), so everything up to the last @ of the word goes.
const USER_IN_URL = /\b([a-z][a-z0-9+.-]*:\/\/)(?=[^\s/?#]*@|[^\s/?#@]*:(?!\d+(?:[/?#]|$)))\S*@/gi;
const SECRET_PARAMETER =
  /([?&](?:[a-z0-9_.-]*(?:signature|credential|token|secret|password|passwd)[a-z0-9_.-]*|sig|pass|pwd|key|api[_-]?key|awsaccesskeyid|access[_-]?key(?:[_-]?id)?)=)[^&#\s]*/gi;
// Over SFTP the user is part of the address and no credential, as long as no password follows.
const SFTP_USER_ALONE = /^sftp:\/\/[^\s/?#:@]+@[^\s/?#@]*(?:[/?#](?!.*:\/\/)|$)/i;

/**
 * A text with the credentials in its URLs replaced by `***`: users and passwords, and the query parameters that sign or
 * authorise a request; the user of an `sftp://` URL stays. Fit to be printed; a text without such a URL is given back
 * as it is.
 */
export function redactUrl(text: string): string {
  return text.replace(USER_IN_URL, hideUser).replace(SECRET_PARAMETER, '$1***');
}

function hideUser(match: string, scheme: string, offset: number, text: string): string {
  const url = text.slice(offset).split(/\s/, 1)[0] ?? '';
  return SFTP_USER_ALONE.test(url) ? match : `${scheme}***@`;
}

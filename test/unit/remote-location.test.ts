import { homedir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isMlvError } from '../../src/core/errors.js';
import { parseLocation, redactUrl } from '../../src/remotes/location.js';

const options = { baseDirectory: '/repo/sub', homeDirectory: '/home/ada' };

function refusal(text: string): { message: string; hint: string } {
  try {
    parseLocation(text, options);
  } catch (error) {
    if (isMlvError(error, 'REMOTE_URL_INVALID')) return { message: error.message, hint: error.hint ?? '' };
    throw error;
  }
  throw new Error(`${text} was not refused`);
}

describe('parseLocation', () => {
  it.each([
    ['s3://bucket', 'bucket', '', 's3://bucket'],
    ['s3://bucket/', 'bucket', '', 's3://bucket'],
    ['S3://bucket/a/b/', 'bucket', 'a/b', 's3://bucket/a/b'],
    [' s3://my.bucket-1/x ', 'my.bucket-1', 'x', 's3://my.bucket-1/x'],
    ['s3://bucket/with space/é%20/#1/a@b:c', 'bucket', 'with space/é%20/#1/a@b:c', undefined],
  ])('reads %j as a bucket and its prefix, nothing decoded', (text, bucket, prefix, url) => {
    const shown = url ?? `s3://${bucket}/${prefix}`;
    expect(parseLocation(text, options)).toEqual({ scheme: 's3', bucket, prefix, url: shown });
  });

  it.each([
    ['/mnt/store', '/mnt/store'],
    ['/mnt/store/', '/mnt/store'],
    ['/mnt/../srv', '/srv'],
    ['store', '/repo/sub/store'],
    ['../store', '/repo/store'],
    ['.', '/repo/sub'],
    ['./host:path', '/repo/sub/host:path'],
    ['~', '/home/ada'],
    ['~/store', '/home/ada/store'],
    ['file:///mnt/a%20b', '/mnt/a b'],
    ['file://localhost/mnt', '/mnt'],
  ])('reads %j as a directory', (text, path) => {
    expect(parseLocation(text, options)).toEqual({ scheme: 'directory', path, url: path });
  });

  it("takes the user's own home where none is given", () => {
    expect(parseLocation('~/x', { baseDirectory: '/' })).toMatchObject({ path: join(homedir(), 'x') });
  });

  it.each([
    ['https://host/x', 'https://host/x'],
    ['http://host:8080/x/', 'http://host:8080/x'],
    ['https://HOST', 'https://host'],
    ['https://host/a%20b//', 'https://host/a%20b'],
  ])('reads %j as what a web server serves', (text, url) => {
    expect(parseLocation(text, options)).toEqual({ scheme: 'http', url });
  });

  it.each([
    ['sftp://ada@host:2222/srv/mlv/', { user: 'ada', host: 'host', port: 2222, path: '/srv/mlv' }],
    ['sftp://host/srv', { host: 'host', path: '/srv' }],
    ['sftp://Work/srv', { host: 'Work', path: '/srv' }],
    ['sftp://[::1]/srv', { host: '::1', path: '/srv' }],
    ['sftp://host/~/mlv', { host: 'host', path: 'mlv' }],
    ['sftp://host/~', { host: 'host', path: '.' }],
    ['sftp://host/a%20b%23', { host: 'host', path: '/a b#' }],
    ['sftp://ada@host/a@b', { user: 'ada', host: 'host', path: '/a@b' }],
  ])('reads %j as a directory behind SSH', (text, expected) => {
    const location = parseLocation(text, options);
    expect(location).toEqual({ scheme: 'sftp', ...expected, url: text.replace(/\/$/, '') });
    expect(redactUrl(location.url)).toBe(location.url);
  });

  it.each([
    ['gs://bucket_1/a b', { scheme: 'gs', bucket: 'bucket_1', prefix: 'a b' }],
    ['azure://my-container', { scheme: 'azure', bucket: 'my-container', prefix: '' }],
    ['azure://$root/a', { scheme: 'azure', bucket: '$root', prefix: 'a' }],
  ])('reads %j as a bucket of another cloud', (url, expected) => {
    expect(parseLocation(url, options)).toEqual({ ...expected, url });
  });

  it.each(['ssh://host/x', 'user@host:path', 'host:path', 'ftp://x'])(
    'refuses %j and says what is supported',
    (text) => {
      const { hint } = refusal(text);
      for (const word of ['s3://bucket/prefix', 'file:///', 'directory']) expect(hint).toContain(word);
    },
  );

  it.each([
    '',
    '  ',
    's3://',
    's3:///prefix',
    's3://a',
    's3://Bucket_!/x',
    's3://bucket/a//b',
    's3://bucket/a/../b',
    's3://bucket/.',
    's3://bucket/x?region=eu',
    'file://other-host/x',
    'file://',
    's3://bucket/a\nb',
    '/mnt/a\0b',
    '~bob/x',
    'sftp://host',
    'sftp://host/',
    'sftp://host/x?y',
    'sftp://-oProxyCommand=x/y',
    'sftp://$(id)/y',
    'sftp://host/%zz',
    'sftp://host:99999/x',
    'https://',
    'https://host/x?list=1',
    'https://host/#x',
    'gs://Bucket/x',
    'azure://a--b/x',
    'azure://Upper/x',
  ])('refuses %j', (text) => {
    expect(refusal(text).message).toContain('cannot be used as a remote');
  });

  it.each([
    's3://AKIAEXAMPLE:wJalrXUtnFEMI/K7MDENG@bucket/prefix',
    's3://key:secret@bucket',
    'https://user:hunter2@host/x',
    'https://token@host/x',
    'sftp://ada:hunter2@host/x',
    'sftp://ada:hunt/er2@host/x',
    'sftp://ada@corp:hunter2@host/x',
    'https://host/x?X-Amz-Signature=0123abcd&X-Amz-Credential=AKIA',
  ])('refuses the credentials in %j without repeating them', (text) => {
    const { message, hint } = refusal(text);
    expect(message).toContain('credentials');
    expect(hint).toContain('credential settings');
    for (const secret of ['AKIA', 'wJalr', 'K7MD', 'secret', 'hunter2', 'token@', '0123abcd']) {
      expect(message).not.toContain(secret);
    }
  });

  it('gives a URL that it reads in the same way', () => {
    const word = fc.stringMatching(/^[a-z][a-z0-9 é+%&=~-]{0,8}[a-z0-9]$/);
    fc.assert(
      fc.property(
        fc.stringMatching(/^[a-z0-9][a-z0-9.-]{1,20}[a-z0-9]$/),
        fc.array(word, { maxLength: 4 }),
        (bucket, words) => {
          const location = parseLocation(`s3://${[bucket, ...words].join('/')}`, options);
          expect(location).toMatchObject({ scheme: 's3', bucket, prefix: words.join('/') });
          expect(parseLocation(location.url, options)).toEqual(location);
        },
      ),
    );
  });
});

describe('redactUrl', () => {
  it.each([
    ['https://user:pass@host/x', 'https://***@host/x'],
    ['see https://token@host/x and ftp://a:b@c', 'see https://***@host/x and ftp://***@c'],
    ['s3://AKIA:a/b+c@d@bucket/x', 's3://***@bucket/x'],
    ['https://h/x?a=1&X-Amz-Signature=abc&b=2', 'https://h/x?a=1&X-Amz-Signature=***&b=2'],
    ['https://h/x?X-Amz-Security-Token=abc#f', 'https://h/x?X-Amz-Security-Token=***#f'],
    ['https://h/x?password=p&sig=s', 'https://h/x?password=***&sig=***'],
  ])('hides what %j gives away', (text, shown) => {
    expect(redactUrl(text)).toBe(shown);
  });

  it.each([
    'https://host:8080/x',
    'http://127.0.0.1:9000',
    's3://bucket/p@th',
    '/a/b@c',
    'a plain sentence: nothing',
    'https://h/x?version=2',
  ])('leaves %j alone', (text) => {
    expect(redactUrl(text)).toBe(text);
  });

  it('lets no password through, whatever it is made of', () => {
    // Digits up to a slash are a port by RFC 3986, and what follows is a path, which may hold an at sign.
    const password = fc.stringMatching(/^[A-Za-z0-9/+=:@._~!$-]{6,40}$/).filter((text) => !/^\d+(\/|$)/.test(text));
    fc.assert(
      fc.property(password, (secret) => {
        expect(redactUrl(`open https://someone:${secret}@example.org/path now`)).toBe(
          'open https://***@example.org/path now',
        );
      }),
    );
  });
});

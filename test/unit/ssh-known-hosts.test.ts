import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  fingerprint,
  KnownKeys,
  keyType,
  knownHostLine,
  knownName,
  namesHost,
  parseKnownHosts,
} from '../../src/remotes/ssh-known-hosts.js';

function key(type: string, seed: string): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(type.length);
  return Buffer.concat([length, Buffer.from(type), Buffer.from(seed)]);
}

function hashed(name: string): string {
  const salt = Buffer.from('0123456789abcdefghij');
  return `|1|${salt.toString('base64')}|${createHmac('sha1', salt).update(name).digest('base64')}`;
}

const ed = key('ssh-ed25519', 'one');
const other = key('ssh-ed25519', 'two');
const rsa = key('ssh-rsa', 'three');

describe('the lines of known hosts', () => {
  it('are read with their marker, comments and broken lines left out', () => {
    const text = '# a comment\n\n  host,10.0.0.1 ssh-rsa AAAA me@here\r\n@revoked * ssh-rsa BBBB\n@what x y z\nhost\n';
    expect(parseKnownHosts(text)).toEqual([
      { marker: undefined, hosts: 'host,10.0.0.1', type: 'ssh-rsa', key: 'AAAA' },
      { marker: 'revoked', hosts: '*', type: 'ssh-rsa', key: 'BBBB' },
    ]);
  });

  it.each([
    ['host', 'host', true],
    ['HOST', 'host', true],
    ['host', 'host2', false],
    ['a,host,b', 'host', true],
    ['*.example.com', 'a.b.example.com', true],
    ['*.example.com', 'example.com', false],
    ['h?st', 'host', true],
    ['*.example.com,!bad.example.com', 'bad.example.com', false],
    ['*.example.com,!bad.example.com', 'good.example.com', true],
    ['[host]:2222', '[host]:2222', true],
    ['[host]:2222', 'host', false],
    ['a.c', 'abc', false],
    [hashed('[host]:2222'), '[host]:2222', true],
    [hashed('host'), '[host]:2222', false],
    ['|1|broken', 'host', false],
  ])('%s names %s: %s', (hosts, name, expected) => {
    expect(namesHost(hosts, name)).toBe(expected);
  });

  it('that are written are read again', () => {
    fc.assert(
      fc.property(
        fc.domain(),
        fc.integer({ min: 1, max: 65_535 }),
        fc.uint8Array({ minLength: 1, maxLength: 600 }),
        (host, port, bytes) => {
          const name = knownName(host, port);
          const sent = key('ssh-ed25519', Buffer.from(bytes).toString('latin1'));
          const keys = new KnownKeys(parseKnownHosts(knownHostLine(name, sent)), name);
          expect([keys.verdict(sent), keys.types]).toEqual(['known', ['ssh-ed25519']]);
        },
      ),
    );
  });
});

describe('a key of a host', () => {
  const verdict = (text: string, sent: Buffer, name = 'host') =>
    new KnownKeys(parseKnownHosts(text), name).verdict(sent);

  it('is known, unknown, changed or revoked', () => {
    const text = knownHostLine('host', ed) + knownHostLine('host', rsa);
    expect(verdict(text, ed)).toBe('known');
    expect(verdict(text, rsa)).toBe('known');
    expect(verdict(text, other)).toBe('changed');
    expect(verdict(text, ed, 'elsewhere')).toBe('unknown');
    expect(verdict(`${text}@revoked * ssh-ed25519 ${ed.toString('base64')}\n`, ed)).toBe('revoked');
    expect(verdict(knownHostLine(hashed('host'), ed), ed)).toBe('known');
  });

  it('is not known by a certificate authority', () => {
    const keys = new KnownKeys(parseKnownHosts(`@cert-authority * ssh-ed25519 ${ed.toString('base64')}`), 'host');
    expect([keys.verdict(ed), keys.onlyAuthority, keys.types]).toEqual(['unknown', true, []]);
  });

  it('has a type and a fingerprint', () => {
    expect(keyType(rsa)).toBe('ssh-rsa');
    expect(fingerprint(Buffer.from('abc'))).toBe('SHA256:ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0');
  });
});

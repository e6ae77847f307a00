import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { openRemote, type RemoteOptions } from '../../src/remotes/open.js';
import { bytesBody, type Remote, readContent } from '../../src/remotes/remote.js';
import { withRetry } from '../../src/remotes/retry.js';
import { failureOf } from '../conformance/remote.js';
import { smallDisk } from '../helpers/small-disk.js';
import { findSshd, makeKey, type SshServer, type SshServerOptions, startSshServer } from '../helpers/ssh-server.js';
import { temporaryDirectory } from '../helpers/temporary-directory.js';

const sshd = findSshd();
const remotes: Remote[] = [];
const servers: SshServer[] = [];
let server: SshServer;

afterEach(async () => {
  for (const remote of remotes.splice(0)) await remote.close();
});

async function start(options: SshServerOptions = {}): Promise<SshServer> {
  const started = await startSshServer(options);
  servers.push(started);
  return started;
}

async function open(on = server, options: Partial<RemoteOptions> & { url?: string } = {}): Promise<Remote> {
  const url = options.url ?? on.url(`${on.root}/remote`);
  const remote = await openRemote(url, { baseDirectory: '/', homeDirectory: on.home, ...options });
  remotes.push(remote);
  return remote;
}

/** A home that has the server's key and a key pair of its own, which the server takes where it is `known`. */
function homeWith(options: { knownHosts?: string; config?: string } = {}): string {
  const home = temporaryDirectory('ssh-home');
  mkdirSync(join(home, '.ssh'), { mode: 0o700 });
  const knownHosts = options.knownHosts ?? readFileSync(server.knownHosts, 'utf8');
  if (knownHosts !== '') writeFileSync(join(home, '.ssh', 'known_hosts'), knownHosts);
  if (options.config !== undefined) writeFileSync(join(home, '.ssh', 'config'), options.config);
  writeFileSync(join(home, '.ssh', 'id_ed25519'), readFileSync(server.privateKey), { mode: 0o600 });
  return home;
}

const isThere = (remote: Remote): Promise<unknown> => remote.stat('key');
const put = (remote: Remote, key: string, text: string) => remote.put(key, bytesBody(Buffer.from(text)));

// Without a server these tests cannot run; test/conformance/sftp.test.ts says so.
describe.runIf(sshd)('a remote over SFTP', () => {
  beforeAll(async () => {
    server = await start();
    await put(await open(), 'key', 'content');
  });
  afterAll(async () => {
    for (const each of servers.splice(0)) await each.stop();
  });

  describe('trusts a host', () => {
    it('that is known under a hashed name', async () => {
      const home = homeWith();
      const file = join(home, '.ssh', 'known_hosts');
      execFileSync('ssh-keygen', ['-H', '-f', file], { stdio: 'ignore' });
      expect(readFileSync(file, 'utf8')).toMatch(/^\|1\|/);
      expect(await isThere(await open(server, { homeDirectory: home }))).toBeDefined();
    });

    it('of which only the key of another type is known', async () => {
      const rsa = readFileSync(join(server.root, '..', 'host_rsa.pub'), 'utf8');
      const home = homeWith({ knownHosts: `[127.0.0.1]:${server.port} ${rsa}` });
      expect(await isThere(await open(server, { homeDirectory: home }))).toBeDefined();
    });

    it('not when it is unknown, and says how to make it known', async () => {
      const home = homeWith({ knownHosts: '' });
      const error = await failureOf(isThere(await open(server, { homeDirectory: home })));
      expect(error).toMatchObject({
        code: 'REMOTE_DENIED',
        data: { verdict: 'unknown', operation: 'stat', key: 'key' },
      });
      expect(error.message).toMatch(/ssh-ed25519 SHA256:/);
      expect(error.hint).toContain(`ssh-keyscan -p ${server.port} 127.0.0.1 >>`);
      expect(existsSync(join(home, '.ssh', 'known_hosts'))).toBe(false);
    });

    it('not when its key is another one, even where new hosts are accepted', async () => {
      const stranger = join(temporaryDirectory('key'), 'host');
      makeKey(stranger);
      const home = homeWith({ knownHosts: `[127.0.0.1]:${server.port} ${readFileSync(`${stranger}.pub`, 'utf8')}` });
      for (const knownHosts of ['strict', 'accept-new'] as const) {
        const error = await failureOf(isThere(await open(server, { homeDirectory: home, knownHosts })));
        expect(error).toMatchObject({ code: 'REMOTE_DENIED', data: { verdict: 'changed' } });
        expect(error.hint).toContain('ssh-keygen -R');
      }
    });

    it('not when its key is revoked', async () => {
      const line = readFileSync(server.knownHosts, 'utf8');
      const home = homeWith({ knownHosts: `${line}@revoked * ${line.split(' ').slice(1).join(' ')}` });
      const error = await failureOf(isThere(await open(server, { homeDirectory: home })));
      expect(error).toMatchObject({ code: 'REMOTE_DENIED', data: { verdict: 'revoked' } });
    });

    it('that is new where the user allows it, writes it down and says so', async () => {
      const home = homeWith({ knownHosts: '' });
      const notices: string[] = [];
      const onNotice = (message: string) => notices.push(message);
      await isThere(await open(server, { homeDirectory: home, knownHosts: 'accept-new', onNotice }));
      expect(notices).toEqual([expect.stringContaining('SHA256:')]);
      await isThere(await open(server, { homeDirectory: home, onNotice }));
      expect(notices).toHaveLength(1);
      expect(readFileSync(join(home, '.ssh', 'known_hosts'), 'utf8')).toBe(readFileSync(server.knownHosts, 'utf8'));
    });
  });

  describe('shows who the user is', () => {
    it('by a key file, which it names', async () => {
      const source = await (await open()).describeCredentials?.();
      expect(source?.name).toContain(server.privateKey);
    });

    it('and says which keys were refused', async () => {
      const home = homeWith();
      const wrong = join(home, 'wrong');
      makeKey(wrong);
      const error = await failureOf(isThere(await open(server, { homeDirectory: home, identityFile: wrong })));
      expect(error.code).toBe('REMOTE_DENIED');
      expect(error.message).toContain(`the key ${wrong}`);
      expect(error.hint).toContain('ssh -p');
    });

    it('and says that there is no key at all', async () => {
      const home = homeWith({ config: 'Host *\n  IdentityFile ~/none\n  IdentityAgent none\n' });
      const remote = await open(server, { homeDirectory: home });
      expect(await failureOf(isThere(remote))).toMatchObject({ code: 'REMOTE_DENIED' });
      expect((await failureOf(remote.describeCredentials!())).message).toContain(join(home, 'none'));
    });

    it('and says that an identity file is not there', async () => {
      const remote = await open(server, { identityFile: '/no/such/key' });
      expect(await failureOf(isThere(remote))).toMatchObject({ code: 'CONFIG_INVALID' });
    });

    it('and says how to use a key with a passphrase', async () => {
      const home = homeWith();
      const locked = join(home, 'locked');
      makeKey(locked, ['-t', 'ed25519'], 'correct horse');
      const error = await failureOf(isThere(await open(server, { homeDirectory: home, identityFile: locked })));
      expect(error.code).toBe('REMOTE_DENIED');
      expect(error.hint).toContain(`ssh-add ${locked}`);
    });

    it('and does not speak of a passphrase where only the public half of a key is there', async () => {
      const home = homeWith();
      const lost = join(home, '.ssh', 'id_ed25519');
      writeFileSync(`${lost}.pub`, execFileSync('ssh-keygen', ['-y', '-f', lost]));
      rmSync(lost);
      const error = await failureOf(isThere(await open(server, { homeDirectory: home })));
      expect(error.code).toBe('REMOTE_DENIED');
      expect(error.hint).toContain(`the private key ${lost} is not there`);
      expect(error.hint).not.toContain('passphrase');
    });

    it('by the agent, whose right key comes first among many', async () => {
      const strict = await start({ config: ['MaxAuthTries 2'] });
      const directory = temporaryDirectory('agent');
      const socket = join(directory, 'agent.sock');
      const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' });
      const environment = { SSH_AUTH_SOCK: socket };
      try {
        // The socket is there before anybody listens. (1 is an agent without keys, 2 is none.)
        const answer = () => spawnSync('ssh-add', ['-l'], { env: { ...process.env, ...environment } }).status;
        while (answer() === 2) await new Promise((resolve) => setTimeout(resolve, 10));
        const add = (path: string) =>
          execFileSync('ssh-add', ['-q', path], { env: { ...process.env, ...environment }, stdio: 'ignore' });
        for (const name of ['a', 'b', 'c', 'd']) {
          makeKey(join(directory, name));
          add(join(directory, name));
        }
        add(strict.privateKey);
        // Only the public half is left: the private one is the agent's.
        writeFileSync(strict.privateKey, 'not a key that can be read');
        const remote = await open(strict, { environment });
        expect(await put(remote, 'key', 'x')).toBe('created');
        expect((await remote.describeCredentials?.())?.name).toBe('the SSH agent (5 keys)');
        const only = await open(strict, { environment, identityFile: strict.privateKey });
        expect((await only.describeCredentials?.())?.name).toBe('the SSH agent (1 key)');
        expect(await isThere(only)).toBeDefined();
        const wrong = await open(strict, { environment, homeDirectory: homeOf(strict, 'unknown') });
        expect(await failureOf(isThere(wrong))).toMatchObject({ code: 'REMOTE_DENIED' });
      } finally {
        agent.kill();
      }
    });
  });

  describe('reads the SSH configuration', () => {
    it('for host, user, port and key', async () => {
      const home = homeWith({
        config: [
          'Host lab',
          '  HostName 127.0.0.1',
          `  Port ${server.port}`,
          `  User ${server.user}`,
          '  HostKeyAlias the-lab',
          '  IdentityFile ~/moved',
          '',
        ].join('\n'),
        knownHosts: readFileSync(server.knownHosts, 'utf8').replace(/^\S+/, 'the-lab'),
      });
      renameSync(join(home, '.ssh', 'id_ed25519'), join(home, 'moved'));
      const remote = await open(server, { homeDirectory: home, url: `sftp://lab${server.root}/remote` });
      expect(await isThere(remote)).toBeDefined();
      expect(remote.url).toBe(`sftp://lab${server.root}/remote`);
    });

    it('and refuses what it cannot do, or what ssh cannot read', async () => {
      const url = `sftp://lab${server.root}/remote`;
      const proxied = homeWith({ config: 'Host lab\n  ProxyJump bastion\n' });
      const error = await failureOf(isThere(await open(server, { homeDirectory: proxied, url })));
      expect([error.code, error.message]).toEqual(['CONFIG_INVALID', expect.stringContaining('proxyjump')]);
      const broken = homeWith({ config: 'Nonsense yes\n' });
      expect(await failureOf(isThere(await open(server, { homeDirectory: broken, url })))).toMatchObject({
        code: 'CONFIG_INVALID',
      });
    });
  });

  it('survives connections that end, in the middle of a file too', async () => {
    const plain = await open();
    // A real pause, so that the pool can notice which of its connections are gone.
    const remote = withRetry(plain, { minDelayMs: 50, maxDelayMs: 200, attempts: 10 });
    const bytes = randomBytes(40_000_000);
    await remote.put('large', bytesBody(bytes));
    const read = await plain.get('large');
    server.dropConnections();
    expect(await failureOf(readContent(read))).toMatchObject({ code: 'REMOTE_TRANSIENT' });
    const content = await remote.get('large');
    const parts: Uint8Array[] = [];
    let received = 0;
    for await (const part of content.body) {
      parts.push(part);
      received += part.length;
      if (received > 10_000_000 && received < 10_100_000) server.dropConnections();
    }
    expect(Buffer.concat(parts).equals(bytes)).toBe(true);
    server.dropConnections();
    expect(await remote.stat('key')).toMatchObject({ size: 7 });
  });

  it('takes a server that is not there for a passing fault, and one that is no SSH server for that or a lasting one', async () => {
    const gone = await start();
    const remote = await open(gone);
    await gone.stop();
    expect(await failureOf(isThere(remote))).toMatchObject({ code: 'REMOTE_TRANSIENT', data: { key: 'key' } });
    const strange = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')).listen(0, '127.0.0.1');
    await new Promise((resolve) => strange.once('listening', resolve));
    const { port } = strange.address() as { port: number };
    const other = await open(server, { url: `sftp://127.0.0.1:${port}/x` });
    expect((await failureOf(isThere(other))).code).toMatch(/^REMOTE_(?:TRANSIENT|PERMANENT)$/);
    strange.close();
  });

  it('says that a server offers no SFTP', async () => {
    const without = await start({ config: ['Subsystem other /bin/false'] });
    expect(await failureOf(isThere(await open(without)))).toMatchObject({ code: 'REMOTE_PERMANENT' });
  });

  it('says that a server may only be read', async () => {
    const program = ['/usr/lib/openssh/sftp-server', '/usr/libexec/sftp-server'].find((path) => existsSync(path));
    const readOnly = await start({ config: [`Subsystem sftp ${program ?? 'internal-sftp'} -R`] });
    mkdirSync(join(readOnly.root, 'remote', 'tmp'), { recursive: true });
    writeFileSync(join(readOnly.root, 'remote', 'key'), 'content');
    const remote = await open(readOnly);
    expect((await readContent(await remote.get('key'))).toString()).toBe('content');
    expect(await failureOf(put(remote, 'new', 'x'))).toMatchObject({
      code: 'REMOTE_DENIED',
      data: { operation: 'put' },
    });
    expect(await failureOf(remote.delete(['key']))).toMatchObject({ code: 'REMOTE_DENIED' });
  });

  it('does without the extensions of OpenSSH', async () => {
    const program = ['/usr/lib/openssh/sftp-server', '/usr/libexec/sftp-server'].find((path) => existsSync(path));
    const none = 'posix-rename,fsync,hardlink,statvfs,limits';
    const plain = await start({ config: [`Subsystem sftp ${program ?? 'internal-sftp'} -P ${none}`] });
    const remote = await open(plain);
    expect(await put(remote, 'a/b/key', 'first')).toBe('created');
    expect(await put(remote, 'a/b/key', 'second')).toBe('created');
    expect((await readContent(await remote.get('a/b/key'))).toString()).toBe('second');
    const ifAbsent = { ifAbsent: true };
    expect(await remote.put('a/b/key', bytesBody(Buffer.from('third')), ifAbsent)).toBe('exists');
    expect(readdirSync(join(plain.root, 'remote', 'tmp'))).toEqual([]);
  });

  it('says that the server is full, and leaves nothing behind', async (context) => {
    const disk = smallDisk(512);
    if (!disk) return context.skip('no file system of its own can be mounted here');
    const remote = await open(server, { url: server.url(`${disk.path}/remote`) });
    await put(remote, 'small', 'x');
    const error = await failureOf(remote.put('large', bytesBody(randomBytes(2_000_000))));
    expect(error).toMatchObject({ code: 'DISK_FULL', data: { operation: 'put', key: 'large' } });
    expect(await remote.stat('large')).toBeUndefined();
    expect(readdirSync(join(disk.path, 'remote', 'tmp'))).toEqual([]);
    expect(await put(remote, 'small-too', 'x')).toBe('created');
  });

  it('removes what writers left behind a week ago, and nothing newer', async () => {
    const base = join(server.root, 'stale');
    mkdirSync(join(base, 'tmp'), { recursive: true });
    writeFileSync(join(base, 'tmp', 'old'), '');
    writeFileSync(join(base, 'tmp', 'new'), '');
    const week = Date.now() / 1000 - 8 * 24 * 3600;
    utimesSync(join(base, 'tmp', 'old'), week, week);
    await put(await open(server, { url: server.url(base) }), 'key', 'x');
    expect(readdirSync(join(base, 'tmp'))).toEqual(['new']);
  });

  it('follows links in a list, and no link for ever', async () => {
    const base = join(server.root, 'links');
    mkdirSync(join(base, 'd'), { recursive: true });
    writeFileSync(join(base, 'd', 'file'), 'x');
    symlinkSync('d/file', join(base, 'link'));
    symlinkSync('nowhere', join(base, 'broken'));
    symlinkSync('..', join(base, 'd', 'up'));
    const remote = await open(server, { url: server.url(base) });
    const keys: string[] = [];
    for await (const { key } of remote.list('')) keys.push(key);
    expect(keys).toContain('link');
    expect(keys).toContain('d/file');
    expect(keys).not.toContain('broken');
  });

  it("keeps files below the user's home where the URL says so", async () => {
    const home = execFileSync('sh', ['-c', 'echo ~'], { encoding: 'utf8' }).trim();
    const name = `.mlv-test-${randomBytes(6).toString('hex')}`;
    const remote = await open(server, { url: server.url(`/~/${name}`) });
    try {
      await put(remote, 'key', 'x');
      expect(existsSync(join(home, name, 'key'))).toBe(true);
    } finally {
      execFileSync('rm', ['-rf', join(home, name)]);
    }
  });
});

/** A home that knows the server, and whose only key it does not take. */
function homeOf(on: SshServer, name: string): string {
  const home = temporaryDirectory(name);
  mkdirSync(join(home, '.ssh'), { mode: 0o700 });
  appendFileSync(join(home, '.ssh', 'known_hosts'), readFileSync(on.knownHosts));
  makeKey(join(home, '.ssh', 'id_ed25519'));
  chmodSync(join(home, '.ssh', 'id_ed25519'), 0o600);
  return home;
}

import { userInfo } from 'node:os';
import { describe, expect, it } from 'vitest';
import { parseSshSettings } from '../../src/remotes/ssh-settings.js';

const read = (text: string) => parseSshSettings(text, { host: 'work', user: 'ada', port: 2022 }, '/home/ada');

describe('what ssh says of a host', () => {
  it('is taken over', () => {
    const text = [
      'user bob',
      'hostname work.example.com',
      'port 22',
      'identitiesonly yes',
      'identityfile ~/.ssh/with space',
      'identityfile /keys/two',
      'userknownhostsfile ~/.ssh/known_hosts ~/.ssh/more',
      'globalknownhostsfile /etc/ssh/ssh_known_hosts',
      'identityagent ~/agent.sock',
      'hostkeyalias Lab',
      'proxyjump none',
    ].join('\n');
    expect(read(text)).toEqual({
      host: 'work.example.com',
      port: 22,
      user: 'bob',
      alias: 'Lab',
      identityFiles: ['/home/ada/.ssh/with space', '/keys/two'],
      identitiesOnly: true,
      agent: '/home/ada/agent.sock',
      knownHostsFiles: ['/home/ada/.ssh/known_hosts', '/home/ada/.ssh/more', '/etc/ssh/ssh_known_hosts'],
    });
  });

  it('is what the URL says, with the usual files, where no ssh is installed', () => {
    expect(read('')).toMatchObject({ host: 'work', port: 2022, user: 'ada', identitiesOnly: false });
    expect(read('').identityFiles).toContain('/home/ada/.ssh/id_ed25519');
    expect(read('').knownHostsFiles[0]).toBe('/home/ada/.ssh/known_hosts');
    expect(parseSshSettings('', { host: 'h' }, '/x')).toMatchObject({ port: 22, user: userInfo().username });
  });

  it('names files below the home that mlv was given, not below the one of the account', () => {
    const { homedir } = userInfo();
    expect(read(`userknownhostsfile ${homedir}/.ssh/known_hosts`).knownHostsFiles).toEqual([
      '/home/ada/.ssh/known_hosts',
    ]);
  });

  it.each(['proxyjump bastion', 'proxycommand nc %h %p'])('is refused where it needs %j', (line) => {
    expect(read(line).unsupported).toBe(line.split(' ')[0]);
  });

  it.each(['identityagent SSH_AUTH_SOCK', ''])('leaves the agent to the environment (%j)', (line) => {
    expect(read(line).agent).toBeUndefined();
  });
});

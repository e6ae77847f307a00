// An S3 emulator as a process of its own, on a free port of loopback; prints the port and ends with its standard input.
// It keeps everything in memory and checks neither signatures nor preconditions.
import { buildApp } from 'fauxqs';

const app = buildApp({ logger: false });

// The emulator's own parser refuses more than 11 MiB, and a pack is larger; one without `parseAs` has no limit.
app.removeContentTypeParser('*');
app.addContentTypeParser('*', (_request, payload, done) => {
  const parts = [];
  payload.on('data', (part) => parts.push(part));
  payload.on('end', () => done(null, Buffer.concat(parts)));
  payload.on('error', done);
});

await app.listen({ port: 0, host: '127.0.0.1' });
process.stdout.write(`${app.server.address().port}\n`);
process.stdin.resume();
process.stdin.once('end', () => process.exit(0));

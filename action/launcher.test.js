'use strict';
// Tests of the launcher: node --test action/launcher.test.js. GitHub is a server on loopback; nothing is installed.
const assert = require('node:assert/strict');
const { createHash } = require('node:crypto');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const http = require('node:http');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');

const launcher = require('./launcher');

const posix = process.platform === 'win32' && 'the stand-in for the binary is a script, which Windows does not start';
const listed = Buffer.from('the binary of this release');
const foreign = Buffer.from('a binary of somebody else');
const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');
const release = { version: '1.2.3', sha256: { linux_amd64: sha256(listed) } };
const unreleased = { version: '', sha256: {} };

// A machine with the directories of a runner. A downloaded action lies under _actions, a local one in the workspace.
function machine(t, { local = false, ...rest } = {}) {
  const work = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'launcher-')));
  t.after(() => fs.rmSync(work, { recursive: true, force: true }));
  const dir = (...names) => {
    const made = path.join(work, ...names);
    fs.mkdirSync(made, { recursive: true });
    return made;
  };
  const workspace = dir('site', 'site');
  const host = {
    ...launcher.runner,
    root: local ? workspace : dir('_actions', 'stint-dev', 'stint', 'v1'),
    platform: 'linux',
    arch: 'x64',
    env: {
      GITHUB_WORKSPACE: workspace,
      GITHUB_ACTION_REPOSITORY: local ? '' : 'stint-dev/stint',
      RUNNER_TOOL_CACHE: dir('tools'),
      RUNNER_TEMP: dir('_temp'),
    },
    pauses: [],
    pause: async (ms) => { host.pauses.push(ms); },
    fetch: async (url) => { throw new Error(`unexpected request for ${url}`); },
    ...rest,
  };
  return host;
}

function put(bytes, ...names) {
  const file = path.join(...names);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, bytes);
  return file;
}

const cached = (host, name = 'stint') => [host.env.RUNNER_TOOL_CACHE, 'stint', '1.2.3', host.arch, name];

// Serves answer(request, response) on loopback as every https host at once; the name asked for arrives as Host.
async function serve(t, host, answer) {
  const asked = [];
  const server = http.createServer((request, response) => {
    asked.push(`https://${request.headers['x-host']}${request.url}`);
    answer(request, response, asked.length);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => { server.closeAllConnections(); server.close(); });
  host.fetch = (url, options) => {
    assert.equal(url.protocol, 'https:');
    const loopback = `http://127.0.0.1:${server.address().port}${url.pathname}`;
    return fetch(loopback, { ...options, headers: { 'x-host': url.host } });
  };
  return asked;
}

const send = (status, bytes = '', headers = {}) => (_, response) => response.writeHead(status, headers).end(bytes);
const asset = 'https://github.com/stint-dev/stint/releases/download/v1.2.3/stint_linux_amd64';

test('names the binary for each system and machine', () => {
  const table = {
    'linux x64': 'linux_amd64', 'linux arm64': 'linux_arm64', 'darwin x64': 'darwin_amd64',
    'darwin arm64': 'darwin_arm64', 'win32 x64': 'windows_amd64', 'win32 arm64': 'windows_arm64',
  };
  for (const [pair, name] of Object.entries(table)) {
    const [platform, arch] = pair.split(' ');
    assert.equal(launcher.target({ platform, arch }), name);
  }
  for (const [platform, arch] of [['linux', 'ia32'], ['freebsd', 'x64'], ['', '']]) {
    assert.throws(() => launcher.target({ platform, arch }), { message: /there is no stint for/, hint: /use Linux/ });
  }
});

test('looks beside itself, then in the tool cache, then at what main kept, then at the release', async (t) => {
  const host = machine(t);
  const asked = await serve(t, host, send(200, listed));
  host.env.STATE_launcher_copy = put(listed, host.env.RUNNER_TEMP, 'stint-abc', 'stint');
  put(listed, ...cached(host));
  put(listed, host.root, 'dist', 'stint_linux_amd64');

  const order = [path.join(host.root, 'dist', 'stint_linux_amd64'), path.join(...cached(host)), host.env.STATE_launcher_copy];
  for (const place of order) {
    // A wrong file at a place shows that the place was the one that counted.
    fs.writeFileSync(place, foreign);
    await assert.rejects(launcher.locate(host, release), (err) => err.message.includes(JSON.stringify(place)));
    fs.writeFileSync(place, listed);
    assert.deepEqual(await launcher.locate(host, release), listed);
    assert.deepEqual(asked, [], 'nothing is downloaded while a binary is there');
    fs.rmSync(place);
  }
  assert.deepEqual(await launcher.locate(host, release), listed);
  assert.deepEqual(asked, [asset]);
});

test('takes the .exe on Windows', async (t) => {
  const host = machine(t, { platform: 'win32', arch: 'arm64' });
  const list = { version: '1.2.3', sha256: { windows_arm64: sha256(listed) } };
  const asked = await serve(t, host, send(200, listed));
  await launcher.locate(host, list);
  assert.deepEqual(asked, [asset.replace('linux_amd64', 'windows_arm64.exe')]);
  put(foreign, ...cached(host, 'stint.exe'));
  await assert.rejects(launcher.locate(host, list), /does not have the sha-256/);
});

test('refuses a binary that is not the listed one', async (t) => {
  const host = machine(t);
  put(foreign, host.root, 'dist', 'stint_linux_amd64');
  await assert.rejects(launcher.locate(host, release), { message: /does not have the sha-256/, hint: /find out who changed it/ });
});

test('refuses a download that is not the listed one, and does not try again', async (t) => {
  const host = machine(t);
  const asked = await serve(t, host, send(200, foreign));
  await assert.rejects(launcher.locate(host, release), /releases\/download.* does not have the sha-256/);
  assert.equal(asked.length, 1);
});

test('refuses to run from a commit that lists no binary, whatever lies about', async (t) => {
  const host = machine(t);
  for (const place of [[host.root, 'dist', 'stint_linux_amd64'], [host.root, 'bin', 'stint'], cached(host)]) put(foreign, ...place);
  await assert.rejects(launcher.locate(host, unreleased), { message: /lists no binary for linux_amd64/, hint: /commit of a release/ });
});

test('refuses what is no regular file, and a file over the limit', async (t) => {
  const host = machine(t, { maxBytes: listed.length - 1 });
  const place = put(listed, host.root, 'dist', 'stint_linux_amd64');
  await assert.rejects(launcher.locate(host, release), { message: /is not a file of at most 25 bytes/ });
  fs.rmSync(place);
  fs.mkdirSync(place);
  await assert.rejects(launcher.locate({ ...host, maxBytes: 1e9 }, release), { message: /is not a file of at most/ });
});

test('a local action may bring its own binary', async (t) => {
  const host = machine(t, { local: true });
  await assert.rejects(launcher.locate(host, unreleased), { message: /lists no binary/, hint: /make build/ });
  put(foreign, host.root, 'bin', 'stint');
  assert.deepEqual(await launcher.locate(host, unreleased), foreign);
  assert.deepEqual(await launcher.locate(host, release), foreign);
  put(listed, host.root, 'dist', 'stint_linux_amd64');
  assert.deepEqual(await launcher.locate(host, unreleased), listed, 'dist comes before bin');
});

test('a local action without a binary of its own takes the listed one', async (t) => {
  const host = machine(t, { local: true });
  put(listed, ...cached(host));
  assert.deepEqual(await launcher.locate(host, release), listed);
  put(foreign, ...cached(host));
  await assert.rejects(launcher.locate(host, release), /does not have the sha-256/);
});

test('no variable makes a downloaded action a local one, or names the binary', async (t) => {
  const attempts = {
    'a workspace around it': (host) => ({ GITHUB_WORKSPACE: path.resolve(host.root, '../../../..') }),
    'itself as the workspace': (host) => ({ GITHUB_WORKSPACE: host.root }),
    'a link to it': (host) => {
      const link = path.join(host.env.GITHUB_WORKSPACE, 'action');
      fs.symlinkSync(host.root, link, 'junction');
      host.root = link; // as __dirname would be with NODE_PRESERVE_SYMLINKS_MAIN
      return {};
    },
    'a tool cache': (host) => ({ RUNNER_TOOL_CACHE: host.env.GITHUB_WORKSPACE }),
    'a copy': (host) => ({ STATE_launcher_copy: path.join(host.root, 'bin', 'stint') }),
    'other names': (host) => Object.fromEntries(['STINT', 'STINT_BINARY', 'STINT_PATH', 'INPUT_BINARY', 'PATH', 'GITHUB_ACTION_PATH']
      .map((name) => [name, path.join(host.root, 'bin')])),
  };
  for (const [name, variables] of Object.entries(attempts)) {
    await t.test(name, async (t) => {
      const host = machine(t);
      await serve(t, host, send(200, foreign));
      put(foreign, host.root, 'bin', 'stint');
      put(foreign, host.env.GITHUB_WORKSPACE, 'stint', '1.2.3', 'x64', 'stint');
      Object.assign(host.env, { GITHUB_ACTION_REPOSITORY: '' }, variables(host));
      await assert.rejects(launcher.locate(host, release), /does not have the sha-256/);
      await assert.rejects(launcher.locate(host, unreleased), /lists no binary/);
    });
  }
});

test('an action outside _actions is local only if the runner names no repository and it is in the workspace', async (t) => {
  const host = machine(t, { local: true });
  put(foreign, host.root, 'bin', 'stint');
  const before = process.cwd();
  t.after(() => process.chdir(before));
  process.chdir(host.root); // no workspace is not the same as the working directory
  const refused = { 'a named repository': { GITHUB_ACTION_REPOSITORY: 'stint-dev/stint' }, 'no workspace': { GITHUB_WORKSPACE: '' },
    'another workspace': { GITHUB_WORKSPACE: host.env.RUNNER_TEMP } };
  for (const [name, variables] of Object.entries(refused)) {
    const other = { ...host, env: { ...host.env, ...variables } };
    await assert.rejects(launcher.locate(other, unreleased), /lists no binary/, name);
  }
  const nested = { ...host, root: path.dirname(path.dirname(put(foreign, host.root, '..stint', 'bin', 'stint'))) };
  assert.deepEqual(await launcher.locate(nested, unreleased), foreign, 'a directory of the workspace, also one with dots in front');
});

test('follows a redirect to the asset host', async (t) => {
  const host = machine(t);
  const elsewhere = 'https://release-assets.githubusercontent.com/some/asset';
  const asked = await serve(t, host, (request, response, n) => (n === 1 ? send(302, '', { location: elsewhere }) : send(200, listed))(request, response));
  assert.deepEqual(await launcher.locate(host, release), listed);
  assert.deepEqual(asked, [asset, elsewhere]);
});

test('refuses a redirect to anywhere else, without asking there', async (t) => {
  const places = [
    'https://example.com/stint', 'http://release-assets.githubusercontent.com/stint', 'https://githubusercontent.com.example.com/stint',
    'https://evilgithubusercontent.com/stint', 'https://release-assets.githubusercontent.com:8443/stint', '/stint', 'file:///bin/sh', '',
  ];
  for (const location of places) {
    await t.test(location || 'no location', async (t) => {
      const host = machine(t);
      const asked = await serve(t, host, send(302, '', location ? { location } : {}));
      await assert.rejects(launcher.locate(host, release), { message: /cannot download .*: redirect 1 to / });
      assert.deepEqual(asked, [asset]);
    });
  }
});

test('follows three redirects and no more', async (t) => {
  const host = machine(t);
  const asked = await serve(t, host, send(302, '', { location: 'https://a.githubusercontent.com/again' }));
  await assert.rejects(launcher.locate(host, release), { message: /redirect 4 to / });
  assert.equal(asked.length, 4);
});

test('tries three times when the download breaks off or the server fails', async (t) => {
  const cut = (_, response) => { response.writeHead(200, { 'content-length': listed.length }); response.write(listed.subarray(0, 9), () => response.destroy()); };
  const faults = { 'broken off': cut, 'status 500': send(500), 'status 429': send(429), 'no reply': (request) => request.destroy() };
  for (const [name, fault] of Object.entries(faults)) {
    await t.test(name, async (t) => {
      const host = machine(t);
      const asked = await serve(t, host, fault);
      await assert.rejects(launcher.locate(host, release), { message: /cannot download/, hint: /run the job again/ });
      assert.equal(asked.length, 3);
      assert.deepEqual(host.pauses, [1000, 2000]);
    });
    await t.test(`${name}, then well`, async (t) => {
      const host = machine(t);
      const asked = await serve(t, host, (request, response, n) => (n < 3 ? fault : send(200, listed))(request, response));
      assert.deepEqual(await launcher.locate(host, release), listed);
      assert.equal(asked.length, 3);
    });
  }
});

test('a short download that ends in good order is still not the listed binary', async (t) => {
  const host = machine(t);
  await serve(t, host, send(200, listed.subarray(0, 9)));
  await assert.rejects(launcher.locate(host, release), /does not have the sha-256/);
});

test('gives up on a server that never answers', async (t) => {
  const host = machine(t, { patience: 20 });
  const asked = await serve(t, host, () => {});
  await assert.rejects(launcher.locate(host, release), { message: /timeout/ });
  assert.equal(asked.length, 3);
});

test('stops reading a download that is too large', async (t) => {
  const host = machine(t, { maxBytes: 1000 });
  let closed;
  await serve(t, host, (_, response) => {
    closed = once(response, 'close');
    const more = () => { while (response.write(Buffer.alloc(4096))); };
    response.on('drain', more);
    more();
  });
  await assert.rejects(launcher.locate(host, release), { message: /more than 1000 bytes/ });
  await closed;
});

test('does not repeat a request that is refused', async (t) => {
  const host = machine(t);
  const asked = await serve(t, host, send(404));
  await assert.rejects(launcher.locate(host, release), { message: /status 404/, hint: /release still has/ });
  assert.equal(asked.length, 1);
});

// What follows runs main.js, post.js and lint.js as the runner does, with a script for a binary.

const files = ['launcher.js', 'main.js', 'post.js', 'lint.js'];
const script = (body) => Buffer.from(`#!${process.execPath}\n${body}\n`);

function install(t, binary, { local = false, list = true } = {}) {
  const host = machine(t, { local });
  for (const name of files) put(fs.readFileSync(path.join(__dirname, name)), host.root, 'action', name);
  const name = launcher.target(process);
  put(JSON.stringify(list ? { version: '1.2.3', sha256: { [name]: sha256(binary) } } : unreleased), host.root, 'action', 'checksums.json');
  host.binary = put(binary, host.root, 'dist', `stint_${name}`);
  host.env.GITHUB_STATE = put('', host.env.RUNNER_TEMP, 'state');
  host.launch = (stage) => spawn(process.execPath, [path.join(host.root, 'action', `${stage}.js`)], { env: { PATH: process.env.PATH, ...host.env } });
  return host;
}

async function finish(child) {
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (data) => { stdout += data; });
  child.stderr.on('data', (data) => { stderr += data; });
  const [status, signal] = await once(child, 'close');
  return { stdout, stderr, status, signal };
}

test('runs the stage and passes streams, environment and exit status through', { skip: posix }, async (t) => {
  const host = install(t, script('console.log(process.argv.slice(2).join(" "), process.env.INPUT_GRANT); console.error("to stderr"); process.exitCode = 7'));
  host.env.INPUT_GRANT = 'deploy-site';
  for (const stage of ['main', 'post', 'lint']) {
    assert.deepEqual(await finish(host.launch(stage)), { stdout: `action ${stage} deploy-site\n`, stderr: 'to stderr\n', status: 7, signal: null });
  }
});

test('post finds what main ran, after the action directory lost its binary', { skip: posix }, async (t) => {
  const host = install(t, script('console.log(process.argv[1])'));
  const ran = (await finish(host.launch('main'))).stdout.trim();
  assert.equal(fs.readFileSync(host.env.GITHUB_STATE, 'utf8'), `launcher_copy=${ran}\n`);
  assert.equal(path.dirname(path.dirname(ran)), host.env.RUNNER_TEMP);
  assert.equal(fs.statSync(ran).mode & 0o777, 0o500);
  assert.equal(fs.statSync(path.dirname(ran)).mode & 0o777, 0o700);

  fs.rmSync(host.binary);
  host.env.STATE_launcher_copy = ran;
  const post = await finish(host.launch('post'));
  assert.equal(post.status, 0, post.stderr);
  assert.notEqual(post.stdout.trim(), ran, 'post runs a copy of its own');
  assert.equal(fs.readFileSync(host.env.GITHUB_STATE, 'utf8'), `launcher_copy=${ran}\n`, 'post leaves no state');

  fs.rmSync(ran);
  put(script('console.log("swapped")'), ran);
  const swapped = await finish(host.launch('post'));
  assert.equal(swapped.status, 1);
  assert.match(swapped.stderr, /does not have the sha-256/);
});

test('runs the bytes that were checked, not the file as it is later', { skip: posix }, async (t) => {
  const host = install(t, script('process.exitCode = 7'));
  const bytes = await launcher.locate({ ...host, platform: process.platform, arch: process.arch },
    { version: '1.2.3', sha256: { [launcher.target(process)]: sha256(script('process.exitCode = 7')) } });
  fs.writeFileSync(host.binary, script('process.exitCode = 8'));
  t.after(() => { for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.removeAllListeners(signal); });
  assert.equal(await launcher.start({ env: host.env, platform: process.platform }, bytes, 'post'), 7);
});

test('forwards a signal and waits for the answer', { skip: posix }, async (t) => {
  const host = install(t, script(`
    for (const [name, status] of [['SIGINT', 41], ['SIGTERM', 42], ['SIGHUP', 43]]) process.on(name, () => process.exit(status));
    setInterval(() => {}, 1e6);
    console.log('ready');`));
  for (const [signal, status] of [['SIGINT', 41], ['SIGTERM', 42], ['SIGHUP', 43]]) {
    const child = host.launch('main');
    await once(child.stdout, 'data');
    child.kill(signal);
    assert.equal((await finish(child)).status, status, signal);
  }
});

test('a binary that dies by a signal gives 128 and its number', { skip: posix }, async (t) => {
  const host = install(t, script('process.kill(process.pid, "SIGKILL"); setInterval(() => {}, 1e6)'));
  assert.equal((await finish(host.launch('main'))).status, 128 + os.constants.signals.SIGKILL);
});

test('says what is wrong in an annotation and two lines', { skip: posix }, async (t) => {
  const host = install(t, script(''), { list: false });
  assert.deepEqual(await finish(host.launch('main')), {
    stdout: `::error::stint: this commit of the action lists no binary for ${launcher.target(process)}\n`,
    stderr: `stint: error: this commit of the action lists no binary for ${launcher.target(process)}\n`
      + 'stint: hint: pin the action to the commit of a release\n',
    status: 1,
    signal: null,
  });
});

test('text from outside cannot start a line of its own in the log', { skip: posix }, async (t) => {
  const host = install(t, script(''));
  fs.rmSync(host.binary);
  host.env.RUNNER_TOOL_CACHE = '';
  host.env.STATE_launcher_copy = put(foreign, host.env.RUNNER_TEMP, '100%\n::set-output::\u001b[2J');
  const { stdout, stderr, status } = await finish(host.launch('post'));
  assert.equal(status, 1);
  assert.equal(stdout.trimEnd().split('\n').length, 1);
  assert.equal(stderr.trimEnd().split('\n').length, 2);
  assert.doesNotMatch(stdout + stderr, /\u001b/);
  assert.match(stdout, /100%25/);

  fs.writeFileSync(host.binary, script(''));
  host.env.RUNNER_TEMP = 'missing\n::stop-commands::x';
  const raw = await finish(host.launch('main'));
  assert.match(raw.stdout, /^::error::stint: ENOENT[^\n]*missing\?::stop-commands::x[^\n]*\n$/);
  assert.equal(raw.stderr.trimEnd().split('\n').length, 2);
});

test('a local action runs its own binary though no commit lists it', { skip: posix }, async (t) => {
  const host = install(t, script('process.exitCode = 9'), { local: true, list: false });
  assert.equal((await finish(host.launch('main'))).status, 9);
});

test('stays small enough to read before trusting it', () => {
  const lines = ['launcher.js', 'main.js', 'post.js'].map((name) => fs.readFileSync(path.join(__dirname, name), 'utf8').split('\n').length - 1);
  assert.ok(lines.reduce((sum, n) => sum + n) < 150, `${lines}`);
  const source = fs.readFileSync(path.join(__dirname, 'launcher.js'), 'utf8');
  for (const [, name] of source.matchAll(/require\('([^']+)'\)/g)) assert.match(name, /^node:/, 'nothing but what comes with node');
});

test('action.yml runs these files, post always', () => {
  const yaml = fs.readFileSync(path.join(__dirname, '..', 'action.yml'), 'utf8');
  for (const line of ['using: node24', 'main: action/main.js', 'post: action/post.js', 'post-if: always()']) {
    assert.ok(yaml.includes(`\n  ${line}\n`), line);
  }
});

test('a lint has no post step, and leaves no state', { skip: posix }, async (t) => {
  const yaml = fs.readFileSync(path.join(__dirname, '..', 'lint', 'action.yml'), 'utf8');
  for (const line of ['using: node24', 'main: ../action/lint.js']) assert.ok(yaml.includes(`\n  ${line}\n`), line);
  assert.ok(!/^  (pre|post)/m.test(yaml));
  const host = install(t, script('process.exitCode = 3'));
  assert.equal((await finish(host.launch('lint'))).status, 3);
  assert.equal(fs.readFileSync(host.env.GITHUB_STATE, 'utf8'), '');
});

test('the committed list is whole or empty', () => {
  const { version, sha256: sums } = JSON.parse(fs.readFileSync(path.join(__dirname, 'checksums.json'), 'utf8'));
  const names = Object.keys(sums).sort();
  if (version === '') return assert.deepEqual(names, []);
  assert.match(version, /^\d+\.\d+\.\d+$/);
  assert.deepEqual(names, ['darwin_amd64', 'darwin_arm64', 'linux_amd64', 'linux_arm64', 'windows_amd64', 'windows_arm64']);
  for (const sum of Object.values(sums)) assert.match(sum, /^[0-9a-f]{64}$/);
});

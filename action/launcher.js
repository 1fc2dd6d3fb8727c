'use strict';
// Runs the stint binary that belongs to this commit of the action, and no other: a binary counts only if its
// SHA-256 is the one in checksums.json beside this file. SECURITY.md says what that does and does not promise.
const { createHash } = require('node:crypto');
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const releases = 'https://github.com/stint-dev/stint/releases/download';
const assetHosts = '.githubusercontent.com'; // GitHub redirects a release asset to a host below this one
const systems = { linux: 'linux', darwin: 'darwin', win32: 'windows' };
const machines = { x64: 'amd64', arm64: 'arm64' };
const maxTries = 3;
const maxRedirects = 3;

// What the launcher takes from outside, so that a test can hand it another machine.
const runner = {
  root: path.dirname(__dirname),
  platform: process.platform,
  arch: process.arch,
  env: process.env,
  fetch: globalThis.fetch,
  pause: (ms) => new Promise((done) => setTimeout(done, ms)),
  patience: 60_000, // milliseconds for one try, from the request to the last byte
  maxBytes: 128 * 1024 * 1024,
};

const quote = JSON.stringify;
const suffix = ({ platform }) => (platform === 'win32' ? '.exe' : '');
const refusal = (problem, hint) => Object.assign(new Error(problem), { hint });

function target({ platform, arch }) {
  if (systems[platform] && machines[arch]) return `${systems[platform]}_${machines[arch]}`;
  throw refusal(`there is no stint for ${quote(`${platform} ${arch}`)}`, 'use Linux, macOS or Windows on x64 or arm64');
}

// An action in the workspace ("uses: ./") is the job's own code and may bring a binary that no commit lists.
// Where this file lies decides: a step can set variables, but a downloaded action runs from the runner's _actions
// directory whatever they say. The two variables, which the runner itself writes last, can only narrow that.
function isLocal({ root, env }) {
  const real = fs.realpathSync(root);
  if (real.split(path.sep).includes('_actions') || env.GITHUB_ACTION_REPOSITORY || !env.GITHUB_WORKSPACE) return false;
  const inside = path.relative(fs.realpathSync(env.GITHUB_WORKSPACE), real);
  return inside.split(path.sep)[0] !== '..' && !path.isAbsolute(inside);
}

function read(file, maxBytes) {
  const stat = fs.statSync(file, { throwIfNoEntry: false });
  if (!stat || (stat.isFile() && stat.size <= maxBytes)) return stat && fs.readFileSync(file);
  throw refusal(`${quote(file)} is not a file of at most ${maxBytes} bytes`, 'remove it and run the job again');
}

function check(bytes, sha256, origin) {
  if (createHash('sha256').update(bytes).digest('hex') === sha256) return bytes;
  throw refusal(`${quote(origin)} does not have the sha-256 that this commit of the action lists`,
    'find out who changed it, remove it and run the job again');
}

// The bytes of the binary to run. A variable may say where to look (the tool cache, what main left for post),
// never what to accept: what lies there has to match the list.
async function locate(host, list) {
  const name = target(host);
  const exe = suffix(host);
  const beside = path.join(host.root, 'dist', `stint_${name}${exe}`);
  const local = isLocal(host);
  for (const file of local ? [beside, path.join(host.root, 'bin', `stint${exe}`)] : []) {
    const bytes = read(file, host.maxBytes);
    if (bytes) return bytes;
  }
  const sha256 = list.sha256[name];
  if (!sha256) {
    throw refusal(`this commit of the action lists no binary for ${name}`,
      local ? 'run "make build" in a step before this one' : 'pin the action to the commit of a release');
  }
  const { RUNNER_TOOL_CACHE: cache, STATE_launcher_copy: copy } = host.env;
  for (const file of [beside, cache && path.join(cache, 'stint', list.version, host.arch, `stint${exe}`), copy]) {
    const bytes = file && read(file, host.maxBytes);
    if (bytes) return check(bytes, sha256, file);
  }
  const url = `${releases}/v${list.version}/stint_${name}${exe}`;
  return check(await download(host, url), sha256, url);
}

async function download(host, url) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await request(host, new URL(url), AbortSignal.timeout(host.patience));
    } catch (err) {
      const why = `cannot download ${quote(url)}: ${err.cause?.message ?? err.message}`;
      if (err.hint || attempt === maxTries) throw refusal(why, err.hint ?? 'run the job again, or fill the tool cache');
      await host.pause(attempt * 1000);
    }
  }
}

async function request(host, url, signal, redirects = 0) {
  const reply = await host.fetch(url, { redirect: 'manual', signal });
  const next = reply.status >= 300 && reply.status < 400 && new URL(reply.headers.get('location') ?? '', url);
  const allowed = next && next.protocol === 'https:' && !next.port && next.hostname.endsWith(assetHosts);
  if (allowed && redirects < maxRedirects) return request(host, next, signal, redirects + 1);
  if (next) throw refusal(`redirect ${redirects + 1} to ${quote(next.origin)}`, 'check the network of the runner');
  if (reply.status >= 500 || reply.status === 429) throw new Error(`status ${reply.status}`);
  if (reply.status !== 200) throw refusal(`status ${reply.status}`, 'check that the release still has this file');
  const chunks = [];
  let size = 0;
  for await (const chunk of reply.body) {
    size += chunk.length;
    if (size > host.maxBytes) throw refusal(`more than ${host.maxBytes} bytes`, 'check what the release holds');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

// Runs a copy of the very bytes that were checked, from a new directory of its own: a file that is swapped between
// the check and the start is not the file that starts. The runner empties its temporary directory after the job.
function start({ env, platform }, bytes, stage) {
  const directory = fs.mkdtempSync(path.join(env.RUNNER_TEMP || os.tmpdir(), 'stint-'));
  const file = path.join(directory, `stint${suffix({ platform })}`);
  fs.writeFileSync(file, bytes, { mode: 0o500 });
  if (stage === 'main' && env.GITHUB_STATE) fs.appendFileSync(env.GITHUB_STATE, `launcher_copy=${file}${os.EOL}`);
  const child = spawn(file, ['action', stage], { stdio: 'inherit' });
  // On Windows the console hands a cancellation to the child as well, and kill() would end it without a last word.
  const forward = (signal) => platform === 'win32' || child.kill(signal);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, forward);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code, signal) => resolve(code ?? 128 + os.constants.signals[signal]));
  });
}

async function run(stage) {
  try {
    const list = JSON.parse(fs.readFileSync(path.join(__dirname, 'checksums.json'), 'utf8'));
    process.exitCode = await start(runner, await locate(runner, list), stage);
  } catch (err) {
    const problem = err.message.replace(/\p{Cc}/gu, '?');
    console.log(`::error::stint: ${problem.replaceAll('%', '%25')}`);
    console.error(`stint: error: ${problem}\nstint: hint: ${err.hint ?? 'run the job again; if it stays, report it'}`);
    process.exitCode = 1;
  }
}

module.exports = { run, locate, start, target, runner };

// What `npm start` and `npm test` do before anything of this project can run: packages, build. Node's own modules alone.
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const oldest = [20, 19]

/** A failure whose message is all that the user needs. */
export class SetupError extends Error {}

export const say = (text) => process.stderr.write(`${text}\n`)
export const seconds = (since) => `${((performance.now() - since) / 1000).toFixed(1)} s`

/** Runs a program to its end; with `quiet` its output is kept and returned, else it goes where ours goes. */
export function run(command, args, { quiet = false, env = {}, stdin = 'ignore' } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: [stdin, quiet ? 'pipe' : 'inherit', quiet ? 'pipe' : 'inherit'],
    })
    let output = ''
    const keep = (part) => {
      output = (output + part).slice(-200_000)
    }
    child.stdout?.on('data', keep)
    child.stderr?.on('data', keep)
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ code: code ?? (signal ? 128 : 1), output }))
  })
}

/** Prints a line now, and one every ten seconds while the work goes on. */
async function patiently(text, work) {
  const since = performance.now()
  say(text)
  const timer = setInterval(() => say(`  ... ${Math.round((performance.now() - since) / 1000)} s`), 10_000)
  try {
    return await work()
  } finally {
    clearInterval(timer)
  }
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major > oldest[0] || (major === oldest[0] && minor >= oldest[1])) return
  throw new SetupError(
    `Assay needs Node.js ${oldest.join('.')} or newer; this is ${process.versions.node}. Get one from https://nodejs.org and run the command again.`,
  )
}

const packagesOf = (path) => JSON.parse(readFileSync(path, 'utf8')).packages

/** True when node_modules holds what package-lock.json asks for on this kind of machine. */
export function isInstalled() {
  const hidden = join(root, 'node_modules/.package-lock.json')
  if (!existsSync(hidden)) return false
  const have = packagesOf(hidden)
  const here = [process.platform, process.arch]
  const native = (entry) => [entry.os, entry.cpu].every((list, i) => !list || list.includes(here[i]))
  for (const [path, entry] of Object.entries(packagesOf(join(root, 'package-lock.json')))) {
    if (path === '' || (entry.optional && !have[path])) continue
    if (have[path]?.version !== entry.version) return false
  }
  return Object.values(have).every(native)
}

const offline = /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ERR_SOCKET_TIMEOUT|ENOTCACHED|network/i

async function install() {
  if (isInstalled()) return say('Packages: installed')
  const since = performance.now()
  const own = process.env.npm_execpath
  const npm = own && /^npm(-cli)?\.c?js$/.test(basename(own)) ? [process.execPath, own] : [process.platform === 'win32' ? 'npm.cmd' : 'npm']
  const [command, ...first] = npm
  const { code, output } = await patiently('Packages: installing (once; a minute or two) ...', () =>
    run(command, [...first, 'ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'], {
      quiet: true,
      env: { ONNXRUNTIME_NODE_INSTALL: 'skip' },
    }),
  )
  if (code === 0) return say(`Packages: installed in ${seconds(since)}`)
  const lines = output.split('\n').map((line) => line.replace(/^npm (error|ERR!) ?/, '').trim())
  const said = lines
    .filter((line) => line && !/^at |^[a-z]+: |[{}]$/.test(line))
    .slice(0, 8)
    .join('\n  ')
  const why = offline.test(output)
    ? 'The package registry could not be reached. Installing needs the network once (behind a proxy: npm config set proxy URL); after that Assay works offline.'
    : 'npm ci failed.'
  throw new SetupError(`${why}\n  ${said}\nThen run the command again.`)
}

function sourceDigest() {
  const hash = createHash('sha256')
  const files = readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
    .sort()
  for (const file of [
    ...files,
    join(root, 'tsconfig.json'),
    join(root, 'tsconfig.build.json'),
    join(root, 'scripts/build.mjs'),
    join(root, 'package-lock.json'),
  ]) {
    hash.update(file.slice(root.length)).update('\0').update(readFileSync(file)).update('\0')
  }
  return hash.digest('hex')
}

async function build() {
  const stamp = join(root, '.cache/build.sha256')
  const digest = sourceDigest()
  const built = existsSync(join(root, 'dist/cli/bin.js')) && existsSync(stamp) && readFileSync(stamp, 'utf8') === digest
  if (built) return say('Build: up to date')
  const since = performance.now()
  rmSync(join(root, 'dist'), { recursive: true, force: true })
  const { code, output } = await patiently('Build: compiling ...', () =>
    run(process.execPath, [join(root, 'scripts/build.mjs')], { quiet: true }),
  )
  if (code !== 0) throw new SetupError(`The build failed:\n${output.trim()}`)
  mkdirSync(dirname(stamp), { recursive: true })
  writeFileSync(stamp, digest)
  say(`Build: compiled in ${seconds(since)}`)
}

async function sampleData() {
  const since = performance.now()
  const datasets = await import('./datasets.mjs')
  datasets.build()
  datasets.verify()
  say(`Sample data: 6 data sets match their digests (${seconds(since)})`)
}

/** Packages and build: each only where it is missing or stale. */
export async function setUpProgram() {
  checkNode()
  await install()
  await build()
}

/** The program and the sample data. */
export async function setUp() {
  await setUpProgram()
  await sampleData()
}

/** Runs `main` and turns what it throws into one message and exit code 1. */
export async function script(main) {
  try {
    process.exitCode = await main(process.argv.slice(2))
  } catch (error) {
    say(error instanceof SetupError ? `\n${error.message}` : `\n${error.stack ?? error}`)
    process.exitCode = 1
  }
}

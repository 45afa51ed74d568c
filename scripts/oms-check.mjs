// Signatures of `assay sign` before the reference implementation of OpenSSF model signing, and its own before `assay verify`:
// both must accept what the other signed, and refuse it after a byte was changed and after a file was added.
// node scripts/oms-check.mjs PYTHON, where PYTHON has scripts/oms-requirements.txt.
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { root } from './setup.mjs'

const python = process.argv[2] ?? 'python3'
const built = join(root, 'dist/cli/bin.js')
const program = existsSync(built) ? [built] : ['--import', 'tsx', join(root, 'src/cli/bin.ts')]
const work = mkdtempSync(join(tmpdir(), 'assay-oms-'))
const keys = join(work, 'keys')
mkdirSync(keys)

const peer = spawn(python, [join(root, 'scripts/oms-peer.py')], { stdio: ['pipe', 'pipe', 'inherit'] })
const answers = createInterface({ input: peer.stdout })[Symbol.asyncIterator]()
async function ask(request) {
  peer.stdin.write(`${JSON.stringify({ keys, root: work, ...request })}\n`)
  const { value, done } = await answers.next()
  if (done) throw new Error('the reference implementation ended early')
  return JSON.parse(value)
}

function assay(...args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [...program, ...args], { cwd: root, encoding: 'utf8' })
  return { status, text: `${stdout}${stderr}` }
}

let failures = 0
function expect(what, ok, detail) {
  if (ok) return
  failures += 1
  console.log(`FAILED  ${what}\n        ${String(detail).trim().split('\n').slice(0, 4).join('\n        ')}`)
}

function delivery(name) {
  const folder = join(work, name)
  mkdirSync(join(folder, 'sub/deep'), { recursive: true })
  writeFileSync(join(folder, 'rows.csv'), 'id,label\n1,cat\n'.repeat(300))
  writeFileSync(join(folder, "sub/it's a file.bin"), Buffer.from(Array.from({ length: 2500 }, (_, i) => i % 251)))
  writeFileSync(join(folder, 'sub/deep/größe.json'), '{}')
  writeFileSync(join(folder, 'sub.txt'), 'sorts between sub and sub/')
  writeFileSync(join(folder, '.gitignore'), 'left out of every signature')
  return folder
}

/** Both verifiers over one folder: `accept`, or neither. */
async function judge(what, folder, { mode, key, ...hashing }, accept) {
  const theirs = await ask({ do: 'verify', root: folder, mode, key, ...hashing })
  expect(`${what}: the reference ${accept ? 'accepts' : 'refuses'}`, theirs.ok === accept, theirs.reason ?? 'it was accepted')
  const trust = mode === 'certificate' ? ['--certificate', join(keys, 'root.pem')] : ['--key', join(keys, `${key}.pub`)]
  const ours = assay('verify', folder, ...trust)
  expect(`${what}: assay ${accept ? 'accepts' : 'refuses'}`, ours.status === (accept ? 0 : 1), `exit ${ours.status}\n${ours.text}`)
}

async function check(name, how, sign) {
  const since = performance.now()
  const before = failures
  const folder = delivery(name.replaceAll(/\W+/g, '-'))
  await sign(folder)
  await judge(name, folder, how, true)
  writeFileSync(join(folder, 'sub/deep/größe.json'), '[]')
  await judge(`${name}, a byte changed`, folder, how, false)
  writeFileSync(join(folder, 'sub/deep/größe.json'), '{}')
  writeFileSync(join(folder, 'sub/extra.csv'), 'x')
  await judge(`${name}, a file added`, folder, how, false)
  rmSync(join(folder, 'sub/extra.csv'))
  rmSync(join(folder, 'rows.csv'))
  await judge(`${name}, a file gone`, folder, how, false)
  console.log(`${failures === before ? 'agreed ' : 'DIFFER '} ${name} (${Math.round(performance.now() - since)} ms)`)
}

try {
  for (const key of ['p256', 'p384', 'ed25519'])
    expect(`keygen ${key}`, assay('keygen', '--type', key, '--out', join(keys, key)).status === 0, key)
  await ask({ do: 'chain' })
  for (const key of ['p256', 'p384'])
    await check(`signed by assay, ${key}`, { mode: 'key', key }, (folder) => {
      const { status, text } = assay('sign', folder, '--key', join(keys, `${key}.key`), '--sums', '--bom')
      expect(`assay sign, ${key}`, status === 0, text)
    })
  for (const [mode, key, method, hash, told] of [
    ['key', 'p256', 'files', 'sha256'],
    ['key', 'p384', 'files', 'blake2', true],
    ['key', 'p256', 'files', 'blake3'],
    ['key', 'p384', 'shards', 'sha256', true],
    ['certificate', null, 'files', 'sha256'],
  ])
    await check(
      `signed by the reference, ${[mode, key, method, hash].filter(Boolean).join(', ')}`,
      { mode, key, ...(told ? { method, hash } : {}) },
      async (folder) => {
        const made = await ask({ do: 'sign', root: folder, mode, key, method, hash })
        expect('the reference signs', made.ok, made.reason)
      },
    )
  const folder = delivery('ed25519')
  assay('sign', folder, '--key', join(keys, 'ed25519.key'))
  expect('assay accepts ed25519', assay('verify', folder, '--key', join(keys, 'ed25519.pub')).status === 0, 'it was refused')
  const { ok, reason } = await ask({ do: 'verify', root: folder, mode: 'key', key: 'ed25519' })
  expect('the reference takes no ed25519 keys', !ok, 'it does now: tell docs/provenance.md')
  console.log(`as documented: ed25519 is for assay alone (the reference says: ${reason})`)
} finally {
  peer.stdin.end()
  rmSync(work, { recursive: true, force: true })
}
console.log(failures === 0 ? 'Both implementations agree.' : `${failures} disagreements.`)
process.exitCode = failures === 0 ? 0 : 1

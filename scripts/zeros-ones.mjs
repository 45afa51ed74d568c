// The recipe of a delivery and of a copy of it that lost most of one class. scripts/datasets.mjs calls it.
import { generateKeyPairSync, sign } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { digestOf, draw, mnistDigits, npy, npz, sets, sha256, write } from './data-parts.mjs'

const data = 'zeros-ones.npz'
const seed = 'zeros-ones/1'
/** Zeros and ones of each split. */
const splits = { train: [300, 900], val: [40, 120], test: [40, 120] }
const removal = { split: 'train', label: 0, count: 200 }

export const zerosOnes = {
  folder: join(sets, 'zeros-ones'),
  files: [
    `build/publisher/${data}`,
    'build/publisher/croissant.json',
    `build/vendor/${data}`,
    'build/vendor/croissant.json',
    `build/signed/${data}`,
  ].concat(['build/signed/SHA256SUMS', 'build/signed/SHA256SUMS.sig', 'vendor/truth.csv']),
}

/** Rows of the origin by split, zeros and ones mixed by their keyed hash. */
function rowsOfSplits(labels) {
  const pools = [0, 1].map((digit) => {
    const rows = [...labels.keys()].filter((row) => labels[row] === digit)
    return draw(
      `${seed}/choice`,
      rows,
      Object.values(splits).reduce((sum, counts) => sum + counts[digit], 0),
    )
  })
  return Object.fromEntries(
    Object.entries(splits).map(([split, counts]) => {
      const rows = pools.flatMap((pool, digit) => pool.splice(0, counts[digit]))
      return [split, draw(`${seed}/order`, rows, rows.length)]
    }),
  )
}

function archive({ images, labels }, rows) {
  const size = images.body.length / labels.body.length
  const arrays = {}
  for (const [split, chosen] of Object.entries(rows)) {
    const pixels = Buffer.concat(chosen.map((row) => images.body.subarray(row * size, (row + 1) * size)))
    arrays[`${split}_images`] = npy(pixels, '|u1', [chosen.length, ...images.shape.slice(1)])
  }
  for (const [split, chosen] of Object.entries(rows)) {
    arrays[`${split}_labels`] = npy(Buffer.from(chosen.map((row) => labels.body[row])), '|u1', [chosen.length, 1])
  }
  return npz(arrays)
}

const context = {
  '@language': 'en',
  '@vocab': 'https://schema.org/',
  sc: 'https://schema.org/',
  cr: 'http://mlcommons.org/croissant/',
  dct: 'http://purl.org/dc/terms/',
  conformsTo: 'dct:conformsTo',
  md5: 'cr:md5',
}

/** What a publisher's catalogue says of the file: its size and, as is common, an MD5 that nobody signed. */
const card = (bytes) =>
  `${JSON.stringify(
    {
      '@context': context,
      '@type': 'sc:Dataset',
      conformsTo: 'http://mlcommons.org/croissant/1.0',
      name: 'zeros-ones',
      description: 'Handwritten zeros and ones, 28 x 28 grey, in three splits.',
      license: 'https://creativecommons.org/licenses/by-sa/3.0/',
      url: 'https://example.org/zeros-ones',
      version: '1.0.0',
      distribution: [
        {
          '@type': 'cr:FileObject',
          '@id': data,
          name: data,
          contentUrl: data,
          contentSize: `${bytes.length} B`,
          encodingFormat: 'application/zip',
          md5: digestOf('md5', bytes),
        },
      ],
    },
    null,
    2,
  )}\n`

export function zerosOnesFiles() {
  const digits = mnistDigits('train')
  const rows = rowsOfSplits(digits.labels.body)
  const whole = rows[removal.split]
  const candidates = whole.filter((row) => digits.labels.body[row] === removal.label)
  const removed = new Set(draw(`${seed}/removal`, candidates, removal.count))
  const publisher = archive(digits, rows)
  const kept = { ...rows, [removal.split]: whole.filter((row) => !removed.has(row)) }
  const lines = [...whole.keys()].filter((row) => removed.has(whole[row])).map((row) => `${removal.split},${row},${removal.label}\n`)
  return {
    [`build/publisher/${data}`]: publisher,
    'build/publisher/croissant.json': Buffer.from(card(publisher)),
    [`build/vendor/${data}`]: archive(digits, kept),
    'build/vendor/croissant.json': Buffer.from(card(publisher)),
    [`build/signed/${data}`]: publisher,
    'build/signed/SHA256SUMS': Buffer.from(`${sha256(publisher)}  ${data}\n`),
    'vendor/truth.csv': Buffer.from(`split,row,label\n${lines.join('')}`),
  }
}

export function buildZerosOnes() {
  for (const [name, bytes] of Object.entries(zerosOnesFiles())) write(join(zerosOnes.folder, name), bytes)
  write(join(zerosOnes.folder, 'build/signed/SHA256SUMS.sig'), readFileSync(join(zerosOnes.folder, 'signed/SHA256SUMS.sig')))
}

/** Signs the sums with a new key and forgets it: only the public key and the signature are kept. */
export function signZerosOnes() {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const signature = sign(null, zerosOnesFiles()['build/signed/SHA256SUMS'], privateKey)
  write(join(zerosOnes.folder, 'publisher.pub'), publicKey.export({ type: 'spki', format: 'pem' }))
  write(join(zerosOnes.folder, 'signed/SHA256SUMS.sig'), `${signature.toString('base64')}\n`)
}

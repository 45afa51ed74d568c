import type { Bytes } from '../bytes.ts'
import { readSafetensors, type Tensor } from '../formats/safetensors.ts'
import type { Located } from '../observation.ts'
import { floatsOf, isFloat, itemBytesOf } from './numbers.ts'
import { type Spectrum, spectrumOfProduct } from './spectrum.ts'

/** One pair of thin matrices of an adapter: what it adds to the matrix at `path` is B · A. */
interface Pair {
  readonly path: string
  readonly a: Tensor
  readonly b: Tensor
  readonly rank: number
}

export interface Screened extends Spectrum {
  readonly path: string
  readonly rank: number
}

/** PEFT, diffusers, kohya. */
const matrix = /^(?:base_model\.model\.)?(.+)\.(?:lora_(?:embedding_)?|lora[._])(A|B|down|up)(?:\.\w+)?(?:\.weight)?$/
/** Multiplications that one file may cost: half a minute. */
const maxWork = 3e10
const maxItems = 16 << 20
const maxRank = 512

const product = (shape: readonly number[]): number => shape.reduce((all, n) => all * n, 1)

function pairsOf(tensors: readonly Tensor[]): readonly Pair[] {
  const halves = new Map<string, { a?: Tensor; b?: Tensor }>()
  for (const tensor of tensors) {
    const match = matrix.exec(tensor.name)
    if (!match) continue
    const [, path = '', which] = match
    const pair = halves.get(path) ?? {}
    pair[which === 'A' || which === 'down' ? 'a' : 'b'] = tensor
    halves.set(path, pair)
  }
  return [...halves].flatMap(([path, { a, b }]) => (a && b ? [{ path, a, b, rank: a.shape[0] ?? 0 }] : []))
}

/** Reading a number costs as much as a few multiplications. */
const workOf = ({ a, b, rank }: Pair): number => Math.max(rank, 8) * (product(a.shape) + product(b.shape)) + 40 * rank ** 3 + 10_000

const isReadable = ({ a, b, rank }: Pair): boolean =>
  rank >= 1 &&
  rank <= maxRank &&
  b.shape.length >= 2 &&
  product(b.shape.slice(1)) === rank &&
  [a, b].every((t) => isFloat(t) && t.shape.length >= 2 && product(t.shape) > 0 && product(t.shape) <= maxItems) &&
  [a, b].every((t) => t.bytes === product(t.shape) * itemBytesOf(t))

const floats = (file: Bytes, tensor: Tensor): Float32Array | null => {
  const bytes = file.read(tensor.offset, tensor.bytes)
  return bytes.length === tensor.bytes ? floatsOf(bytes, tensor.dtype) : null
}

const percent = (share: number): string => `${(share * 100).toFixed(1)} %`

function median(values: readonly number[]): number {
  const sorted = [...values].sort((x, y) => x - y)
  const at = Math.floor((sorted.length - 1) / 2)
  return ((sorted[at] ?? 0) + (sorted[Math.ceil((sorted.length - 1) / 2)] ?? 0)) / 2
}

/** Deviations of `values` from their median in robust standard deviations, of which one is at least `floor`. */
function deviations(values: readonly number[], floor: number): readonly number[] {
  const middle = median(values)
  const scale = Math.max(floor, 1.4826 * median(values.map((x) => Math.abs(x - middle))))
  return values.map((x) => (x - middle) / scale)
}

const logit = (share: number): number => Math.log(Math.max(share, 1e-6) / Math.max(1 - share, 1e-6))

/** Fewer matrices of one kind say nothing of what is usual for them. */
const fewest = 8
const farOff = 6
/** From which a matrix is of rank one in all but name; an adapter of rank below 4 is so by its making. */
const oneDirection = 0.85
const lowestRank = 4
/** Above the median of the other layers. */
const moreShare = 0.4
const timesNorm = 4

export interface Standing {
  readonly one: Screened
  readonly message: string
}

/** Matrices of one kind (`q_proj` of every layer) are held against each other: the same training made them. */
export function standingOut(all: readonly Screened[]): readonly Standing[] {
  const changed = all.filter(({ norm }) => norm > 0)
  if (all.length >= fewest && changed.length > 0 && changed.length <= all.length / 10)
    return changed.map((one) => ({
      one,
      message: `changes ${one.path}, one of only ${changed.length} of ${all.length} matrices that it changes at all, as an edit does and no training.`,
    }))
  const kinds = new Map<string, Screened[]>()
  for (const one of changed) {
    const kind = `${one.path.slice(one.path.lastIndexOf('.') + 1)} ${one.rank}`
    const known = kinds.get(kind)
    if (known) known.push(one)
    else kinds.set(kind, [one])
  }
  return [...kinds.values()].filter((kind) => kind.length >= fewest).flatMap(standingOutOf)
}

function standingOutOf(kind: readonly Screened[]): readonly Standing[] {
  const shares = deviations(
    kind.map(({ topShare }) => logit(topShare)),
    0.25,
  )
  const norms = deviations(
    kind.map(({ norm }) => Math.log(norm)),
    0.2,
  )
  const share = median(kind.map(({ topShare }) => topShare))
  const norm = median(kind.map((one) => one.norm))
  return kind.flatMap((one, i) => {
    const isConcentrated =
      one.rank >= lowestRank && (shares[i] as number) >= farOff && one.topShare >= oneDirection && one.topShare >= share + moreShare
    const isStrong = (norms[i] as number) >= farOff && one.norm >= timesNorm * norm
    if (!isConcentrated && !isStrong) return []
    const how = [
      isConcentrated
        ? `changes ${one.path} to ${percent(one.topShare)} in one direction of ${one.rank} (entropy ${one.entropy.toFixed(2)}, kurtosis ${one.kurtosis.toFixed(1)}), and the same matrix of its other layers to ${percent(share)}`
        : '',
      isStrong ? `changes ${one.path} ${(one.norm / norm).toFixed(1)} times as much as the same matrix of its other layers` : '',
    ].filter((text) => text !== '')
    return [{ one, message: `${how.join(', and ')}.` }]
  })
}

/** What kind of adapter this is, in one sentence; nothing in it accuses. */
function sentenceOf(all: readonly Screened[], left: number): string {
  const changed = all.filter(({ norm }) => norm > 0)
  if (all.length === 0) return `adapter of ${left} matrices, none of which was decomposed`
  const rest = left > 0 ? `; ${left} more were not decomposed` : ''
  if (changed.length === 0) return `adapter of ${all.length} matrices, none of which changes anything${rest}`
  const highest = changed.reduce((most, one) => (one.topShare > most.topShare ? one : most))
  const of = (pick: (one: Screened) => number): number => median(changed.map(pick))
  return (
    `adapter of ${all.length} matrices; median of their spectra: ${percent(of((s) => s.topShare))} in one direction, ` +
    `entropy ${of((s) => s.entropy).toFixed(2)}, kurtosis ${of((s) => s.kurtosis).toFixed(1)}; ` +
    `most in one direction: ${percent(highest.topShare)} of ${highest.path}${rest}`
  )
}

/**
 * Spectra of what an adapter (LoRA) adds to the matrices of its base, by the numbers that separate poisoned adapters from clean ones in
 * Puertolas Merenciano et al. (arXiv 2602.15195, 2026): share of the first singular value, entropy and kurtosis. That work learns a threshold from hundreds
 * of adapters of one base; here the adapter's other layers are all there is to compare with, so only what stands far out is put up for review.
 * A safetensors file without such matrices costs its header.
 */
export async function screenAdapter(
  file: Bytes,
  path: string,
  observe: (o: Located) => void,
  note: (place: { readonly file: string; readonly inside: readonly string[] }, text: string) => void,
  aborted: () => boolean,
): Promise<void> {
  const pairs = pairsOf(readSafetensors(file).tensors)
  if (pairs.length === 0) return
  const { screened, left } = await screen(file, pairs, aborted)
  note({ file: path, inside: [] }, sentenceOf(screened, left))
  for (const { one, message } of standingOut(screened))
    observe({ rule: 'adapter-mismatch', verdict: 'review', subject: one.path, message, offset: null, file: path, inside: [] })
}

async function screen(
  file: Bytes,
  pairs: readonly Pair[],
  aborted: () => boolean,
): Promise<{ readonly screened: readonly Screened[]; readonly left: number }> {
  const screened: Screened[] = []
  let work = 0
  for (const pair of pairs) {
    if (aborted()) break
    if (!isReadable(pair) || work + workOf(pair) > maxWork) continue
    work += workOf(pair)
    const [a, b] = [floats(file, pair.a), floats(file, pair.b)]
    if (a && b) screened.push({ ...(await spectrumOfProduct(b, a, pair.rank)), path: pair.path, rank: pair.rank })
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { screened, left: pairs.length - screened.length }
}

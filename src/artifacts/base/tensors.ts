import { type OpenFile, openBytes } from '../bytes.ts'
import { readSafetensors, type Tensor } from '../formats/safetensors.ts'
import type { ScannedFile } from '../scan.ts'
import { floatsOf, isFloat, itemBytesOf, topShare } from './numbers.ts'

export interface Placed extends Tensor {
  readonly file: ScannedFile
}

/** Tensors of all safetensors files of a folder, by name; of one name, the first in the order of the files. */
export function tensorsOf(files: readonly ScannedFile[]): ReadonlyMap<string, Placed> {
  const all = new Map<string, Placed>()
  for (const file of files) {
    if (!file.path.endsWith('.safetensors')) continue
    const bytes = openBytes(file.location)
    try {
      for (const tensor of readSafetensors(bytes).tensors) if (!all.has(tensor.name)) all.set(tensor.name, { ...tensor, file })
    } finally {
      bytes.close()
    }
  }
  return all
}

export interface Changed {
  readonly tensor: Placed
  /** Frobenius norm of the difference over that of the base; null where the type is no float. */
  readonly relative: number | null
  /** Share of the difference's energy in its largest singular value; null where it is no matrix or was not computed. */
  readonly topShare: number | null
}

const pieceBytes = 1 << 20
/** Numbers of one tensor that are looked at: of a larger one, its first rows. */
const maxItems = 16 << 20
/** Tensors whose difference is decomposed. */
const maxDecomposed = 64

class Files {
  readonly left = Buffer.allocUnsafe(pieceBytes)
  readonly right = Buffer.allocUnsafe(pieceBytes)
  readonly #open = new Map<string, OpenFile>()

  at(file: ScannedFile): OpenFile {
    let open = this.#open.get(file.location)
    if (!open) {
      open = openBytes(file.location)
      this.#open.set(file.location, open)
    }
    return open
  }

  close(): void {
    for (const open of this.#open.values()) open.close()
  }
}

function isEqual(files: Files, a: Placed, b: Placed, progress: (bytes: number) => void): boolean {
  const left = files.at(a.file)
  const right = files.at(b.file)
  for (let at = 0; at < a.bytes; at += pieceBytes) {
    const n = Math.min(pieceBytes, a.bytes - at)
    const [x, y] = [files.left.subarray(0, n), files.right.subarray(0, n)]
    progress(n)
    if (left.readInto(x, a.offset + at) !== n || right.readInto(y, b.offset + at) !== n || !x.equals(y)) return false
  }
  return true
}

function difference(files: Files, after: Placed, before: Placed, decompose: boolean): Changed {
  if (!isFloat(after)) return { tensor: after, relative: null, topShare: null }
  const columns = after.shape.length < 2 ? 1 : after.shape.slice(1).reduce((product, n) => product * n, 1)
  const rows = Math.max(1, Math.min(after.shape[0] ?? 1, Math.floor(maxItems / Math.max(1, columns))))
  const bytes = Math.min(after.bytes, rows * columns * itemBytesOf(after))
  const x = floatsOf(files.at(after.file).read(after.offset, bytes), after.dtype)
  const y = floatsOf(files.at(before.file).read(before.offset, bytes), before.dtype)
  let delta = 0
  let norm = 0
  for (let i = 0; i < x.length; i++) {
    norm += (y[i] as number) ** 2
    x[i] = (x[i] as number) - (y[i] as number)
    delta += (x[i] as number) ** 2
  }
  const isMatrix = after.shape.length >= 2 && Math.min(rows, columns) >= 8 && rows * columns <= x.length
  return {
    tensor: after,
    relative: norm === 0 ? (delta === 0 ? 0 : 1) : Math.sqrt(delta / norm),
    topShare: decompose && isMatrix ? topShare(x, rows, columns) : null,
  }
}

export interface TensorDiff {
  readonly compared: number
  readonly changed: readonly Changed[]
  readonly added: readonly string[]
  readonly missing: readonly string[]
  /** Of another shape or type. */
  readonly reshaped: readonly string[]
}

/** What differs, tensor by tensor. Equal ones are read once, as bytes. */
export function diffTensors(
  after: ReadonlyMap<string, Placed>,
  before: ReadonlyMap<string, Placed>,
  progress: (bytes: number) => void,
  aborted: () => boolean,
): TensorDiff {
  const files = new Files()
  try {
    const different: (readonly [Placed, Placed])[] = []
    const reshaped: string[] = []
    let compared = 0
    for (const [name, tensor] of after) {
      const base = before.get(name)
      if (base === undefined || aborted()) continue
      compared++
      if (base.dtype !== tensor.dtype || base.shape.join() !== tensor.shape.join()) reshaped.push(name)
      else if (!isEqual(files, tensor, base, progress)) different.push([tensor, base])
    }
    // Where everything changed, a few say how.
    const decomposed = different.length > compared / 2 ? 8 : maxDecomposed
    return {
      compared,
      changed: different.map(([a, b], i) => difference(files, a, b, i < decomposed)),
      added: [...after.keys()].filter((name) => !before.has(name)),
      missing: [...before.keys()].filter((name) => !after.has(name)),
      reshaped,
    }
  } finally {
    files.close()
  }
}

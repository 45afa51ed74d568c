import type { Bytes } from './bytes.ts'
import { looksLikeTar } from './containers/tar.ts'
import { fieldsOf } from './formats/protobuf.ts'

export type Kind =
  | 'zip'
  | 'tar'
  | 'gzip'
  | 'bzip2'
  | 'xz'
  | 'lzma'
  | 'zstd'
  | 'lz4'
  | 'zlib'
  | 'joblib-zf'
  | '7z'
  | 'rar'
  | 'cabinet'
  | 'npy'
  | 'pickle'
  | 'hdf5'
  | 'gguf'
  | 'safetensors'
  | 'onnx'
  | 'saved-model'
  | 'tflite'
  | 'coreml'
  | 'json'
  | 'python'
  | 'template'
  | 'executable'
  | 'text'
  | 'unknown'

const magics: readonly (readonly [Kind, number, readonly number[]])[] = [
  ['zip', 0, [0x50, 0x4b, 3, 4]],
  ['zip', 0, [0x50, 0x4b, 5, 6]],
  ['zip', 0, [0x50, 0x4b, 7, 8]],
  ['gzip', 0, [0x1f, 0x8b]],
  ['xz', 0, [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]],
  ['zstd', 0, [0x28, 0xb5, 0x2f, 0xfd]],
  ['lz4', 0, [4, 0x22, 0x4d, 0x18]],
  ['7z', 0, [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c]],
  ['rar', 0, [0x52, 0x61, 0x72, 0x21, 0x1a, 7]],
  ['cabinet', 0, [0x4d, 0x53, 0x43, 0x46, 0, 0, 0, 0]],
  ['npy', 0, [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]],
  ['hdf5', 0, [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a]],
  ['gguf', 0, [0x47, 0x47, 0x55, 0x46]],
  ['tflite', 4, [0x54, 0x46, 0x4c, 0x33]],
  ['executable', 0, [0x7f, 0x45, 0x4c, 0x46]],
  ['executable', 0, [0xcf, 0xfa, 0xed, 0xfe]],
  ['executable', 0, [0xca, 0xfe, 0xba, 0xbe]],
]

const startsWith = (head: Buffer, at: number, magic: readonly number[]): boolean => magic.every((byte, i) => head[at + i] === byte)

/** Extensions whose formats have no magic number of their own. */
const byName: readonly (readonly [Kind, RegExp])[] = [
  ['safetensors', /\.safetensors$/i],
  ['onnx', /\.(?:onnx|ort)$/i],
  ['saved-model', /(?:^|\/)(?:saved_model|[^/]*graph[^/]*|keras_metadata)\.pb$|\.(?:pb|pbtxt|meta)$/i],
  ['coreml', /\.mlmodel$/i],
]
const pickleOnlyName = /\.(?:pkl|pickle|joblib|dill|cloudpickle)$/i

/** HDF5 may begin after a block of the user's own. */
const hdf5Starts = [512, 1024, 2048, 4096]

const isZlib = (head: Buffer): boolean =>
  head.length > 6 &&
  head[0] === 0x78 &&
  [0x01, 0x5e, 0x9c, 0xda].includes(head[1] as number) &&
  (((head[0] as number) << 8) | (head[1] as number)) % 31 === 0

const isText = (head: Buffer): boolean => head.length > 0 && !head.some((b) => b < 9 || (b > 13 && b < 32 && b !== 27) || b === 127)

/** ModelProto of ONNX: its version first, then fields of its own, a graph among them. */
function isOnnx(bytes: Bytes, head: Buffer): boolean {
  if (head[0] !== 8 || (head[1] as number) < 1 || (head[1] as number) > 32) return false
  let graph = false
  try {
    let left = 100
    for (const { number, wire } of fieldsOf(bytes)) {
      if (number > 26 || (number === 7 && wire !== 2)) return false
      graph ||= number === 7
      if (--left === 0) break
    }
  } catch {
    return graph
  }
  return graph
}

/** Windows programs: MZ, and PE where the header says. */
const isPe = (head: Buffer): boolean =>
  head.length >= 0x40 &&
  head[0] === 0x4d &&
  head[1] === 0x5a &&
  head.toString('latin1', head.readUInt32LE(0x3c), head.readUInt32LE(0x3c) + 2) === 'PE'

const isSafetensors = (head: Buffer, size: number): boolean => {
  if (head.length < 10 || head[8] !== 0x7b) return false
  const length = Number(head.readBigUInt64LE(0))
  return length >= 2 && length <= size - 8 && (head[9] === 0x22 || head[9] === 0x7d || head[9] === 0x20)
}

/**
 * What the bytes are, by what they hold. A name only decides where formats have no sign of their own (ONNX and other Protocol Buffers, Python,
 * templates), and makes a reader that expects a format say what is wrong with it.
 */
export function identify(bytes: Bytes, name: string): Kind {
  const head = bytes.read(0, 1_024)
  // Frames that readers skip come before the data: LZ4 has them too.
  if (((head[0] ?? 0) & 0xf0) === 0x50 && startsWith(head, 1, [0x2a, 0x4d, 0x18])) return 'zstd'
  for (const [kind, at, magic] of magics) if (startsWith(head, at, magic)) return kind
  if (/^BZh[1-9]1AY&SY/.test(head.toString('latin1', 0, 10))) return 'bzip2'
  if (head[0] === 0x80 && (head[1] as number) <= 5 && head.length > 2) return 'pickle'
  if (/^ZF0x[0-9a-fA-F]/.test(head.toString('latin1', 0, 5))) return 'joblib-zf'
  if (isPe(head)) return 'executable'
  if (looksLikeTar(head)) return 'tar'
  if (isSafetensors(head, bytes.size)) return 'safetensors'
  for (const [kind, pattern] of byName) if (pattern.test(name)) return kind
  if (isOnnx(bytes, head)) return 'onnx'
  if (isZlib(head)) return 'zlib'
  if (head[0] === 0x5d && head[1] === 0 && head[2] === 0 && head.length > 13) return 'lzma'
  for (const at of hdf5Starts) if (startsWith(bytes.read(at, 8), 0, [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a])) return 'hdf5'
  if (head[0] === 0x80 && (head[1] as number) <= 5) return 'pickle'
  if (pickleOnlyName.test(name) && head.length > 0) return 'pickle'
  if (/\.(?:jinja2?|j2|tmpl|template)$/i.test(name)) return 'template'
  if (/\.(?:py|pyw|pth)$/i.test(name) && isText(head)) return /\.pth$/i.test(name) ? 'unknown' : 'python'
  if (/\.(?:json|jsonl|ipynb|webmanifest)$/i.test(name)) return 'json'
  const text = head.toString('utf8').trimStart()
  if (isText(head) && (text.startsWith('{') || text.startsWith('['))) return 'json'
  return isText(head) ? 'text' : 'unknown'
}

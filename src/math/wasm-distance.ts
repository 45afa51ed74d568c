/** Sums over rows of f32 in `memory`, in f64: of the squared differences, or the products, of the rows at two addresses. */
export interface Distances {
  readonly memory: { readonly buffer: ArrayBuffer }
  readonly squared: (a: number, b: number, bytes: number) => number
  readonly dot: (a: number, b: number, bytes: number) => number
}

// Not among the types of Node.
declare const WebAssembly: {
  readonly Memory: new (limits: { initial: number; maximum: number }) => Distances['memory']
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown }
}

/** Rows have to be padded with zeros to a multiple of so many bytes. */
export const rowBytes = 32
const pageBytes = 65_536

let compiled: object | null = null

/** Room for so many bytes, at most 4 GiB, in a memory of its own. */
export function distances(bytes: number): Distances {
  const pages = Math.ceil(bytes / pageBytes)
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages })
  compiled ??= new WebAssembly.Module(encoded())
  const instance = new WebAssembly.Instance(compiled, { env: { memory } })
  return { memory, ...(instance.exports as Omit<Distances, 'memory'>) }
}

// The binary format is that of the WebAssembly Core Specification 2.0, chapter 5. Names of locals: the addresses a and b, the end
// of a (at first its length), four pairs of sums, a pair of differences.
const [a, b, end, difference] = [0, 1, 2, 7] as const
const sums = [3, 4, 5, 6]
const [i32, f64, v128] = [0x7f, 0x7c, 0x7b]

const get = (local: number): number[] => [0x20, local]
const set = (local: number): number[] => [0x21, local]
const addPairs = [0xfd, 0xf0, 0x01]
const subtractPairs = [0xfd, 0xf1, 0x01]
const multiplyPairs = [0xfd, 0xf2, 0x01]
const addIntegers = 0x6a
const lane = (i: number): number[] => [0xfd, 0x21, i]

/** Two f32 at an offset from the address in a local, as f64. */
const pair = (local: number, offset: number): number[] => [...get(local), 0xfd, 0x5d, 2, offset, 0xfd, 0x5f]
const product = (offset: number): number[] => [...pair(a, offset), ...pair(b, offset), ...multiplyPairs]
const square = (offset: number): number[] => [
  ...[...pair(a, offset), ...pair(b, offset), ...subtractPairs, ...set(difference)],
  ...[...get(difference), ...get(difference), ...multiplyPairs],
]

const sumOf = (term: (offset: number) => number[]): number[] => [
  ...[...get(a), ...get(end), addIntegers, ...set(end)],
  ...[0x03, 0x40], // loop
  ...sums.flatMap((sum, i) => [...get(sum), ...term(8 * i), ...addPairs, ...set(sum)]),
  ...[a, b].flatMap((address) => [...get(address), 0x41, rowBytes, addIntegers, ...set(address)]),
  ...[...get(a), ...get(end), 0x49, 0x0d, 0, 0x0b], // again if a < end
  ...[...get(3), ...get(4), ...addPairs, ...get(5), ...get(6), ...addPairs, ...addPairs, ...set(3)],
  ...[...get(3), ...lane(0), ...get(3), ...lane(1), 0xa0, 0x0b],
]

const length = (n: number): number[] => (n < 128 ? [n] : [(n & 127) | 128, ...length(n >> 7)])
const list = (items: readonly (readonly number[])[]): number[] => [...length(items.length), ...items.flat()]
const sized = (bytes: readonly number[]): number[] => [...length(bytes.length), ...bytes]
const section = (id: number, items: readonly (readonly number[])[]): number[] => [id, ...sized(list(items))]
const name = (text: string): number[] => sized([...Buffer.from(text)])
const body = (code: readonly number[]): number[] => sized([...list([[5, v128 as number]]), ...code])

const encoded = (): Uint8Array =>
  Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [[0x60, 3, i32, i32, i32, 1, f64] as number[]]),
    ...section(2, [[...name('env'), ...name('memory'), 2, 1, 1, ...length(pageBytes)]]),
    ...section(3, [[0], [0]]),
    ...section(7, [
      [...name('squared'), 0, 0],
      [...name('dot'), 0, 1],
    ]),
    ...section(10, [body(sumOf(square)), body(sumOf(product))]),
  ])

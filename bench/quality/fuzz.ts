// One kind of model file, mutated so many times and read each time; prints what came of it as JSON. `fuzz.mjs` runs one process a kind, so that
// a parser that hangs or takes all memory ends its own process and not the others.
import { defaultLimits } from '../../src/artifacts/budget.ts'
import { files } from '../../test/artifacts/fuzz-files.ts'
import { scanned } from '../../test/artifacts/scanned.ts'

const [kind = '', count = '1000', seed = '1'] = process.argv.slice(2)
const limits = { ...defaultLimits, maxUnpackedBytes: 8 << 20, maxMembers: 200 }
const maxFailures = 5

/** Mulberry32: 32 bits of state, enough to make one input again from its number. */
function generator(start: number): (below: number) => number {
  let state = start >>> 0
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 2 ** 32) * below)
  }
}

const edges = [0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_fffe, 0xffff_ffff]

function change(bytes: Buffer, below: (n: number) => number): Buffer {
  const at = below(bytes.length + 1)
  const to = Math.min(bytes.length, at + 1 + below(16))
  switch (below(8)) {
    case 0:
      return Buffer.concat([bytes.subarray(0, at), Buffer.from([below(256)]), bytes.subarray(at + 1)])
    case 1:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(to)])
    case 2:
      return Buffer.concat([bytes.subarray(0, to), bytes.subarray(at)])
    case 3:
      return bytes.subarray(0, at)
    case 4: {
      const word = Buffer.alloc(8)
      word.writeUInt32LE(edges[below(edges.length)] as number)
      const width = [1, 2, 4, 8][below(4)] as number
      return Buffer.concat([bytes.subarray(0, at), word.subarray(0, width), bytes.subarray(at + width)])
    }
    case 5: {
      const other = (files[below(files.length)] as (typeof files)[number])[2]
      const from = below(other.length)
      return Buffer.concat([bytes.subarray(0, at), other.subarray(from, from + below(64)), bytes.subarray(at)])
    }
    case 6:
      return Buffer.concat([bytes.subarray(0, at), Buffer.from(Array.from({ length: 1 + below(8) }, () => below(256))), bytes.subarray(at)])
    default: {
      const flipped = Buffer.from(bytes)
      if (at < flipped.length) flipped[at] = (flipped[at] as number) ^ (1 << below(8))
      return flipped
    }
  }
}

function inputOf(number: number): readonly [string, Buffer] {
  const below = generator(number * 2_654_435_761 + Number(seed))
  if (kind === 'chance') {
    const [, name] = files[below(files.length)] as (typeof files)[number]
    return [name, Buffer.from(Array.from({ length: below(200) }, () => below(256)))]
  }
  const [, name, whole] = files.find(([own]) => own === kind) as (typeof files)[number]
  let bytes = whole
  for (let n = 1 + below(6); n > 0; n--) bytes = change(bytes, below)
  return [name, bytes]
}

if (kind === 'kinds') console.log(JSON.stringify([...files.map(([own]) => own), 'chance']))
else {
  const failures: { readonly input: number; readonly message: string }[] = []
  let worstMs = 0
  let told = 0
  for (let i = 0; i < Number(count) && failures.length < maxFailures; i++) {
    const [name, bytes] = inputOf(i)
    const since = performance.now()
    try {
      const { observations } = scanned(bytes, name, limits)
      if (observations.length > 0) told++
      const odd = observations.find(({ message }) => /undefined|\[object|NaN/.test(message))
      if (odd) failures.push({ input: i, message: odd.message })
    } catch (error) {
      failures.push({ input: i, message: (error as Error).stack?.split('\n').slice(0, 2).join(' ') ?? String(error) })
    }
    worstMs = Math.max(worstMs, performance.now() - since)
  }
  const megabytes = Math.round(process.resourceUsage().maxRSS / 1024)
  console.log(JSON.stringify({ kind, inputs: Number(count), told, worstMs: Math.round(worstMs), megabytes, failures }))
}

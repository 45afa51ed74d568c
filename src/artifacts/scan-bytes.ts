import type { Budget, Limits } from './budget.ts'
import { type Bytes, inMemory, partOf } from './bytes.ts'
import { type Member, Unreadable } from './containers/member.ts'
import { tarMembers } from './containers/tar.ts'
import { type Packing, unpackAll } from './containers/unpack.ts'
import { zipMembers } from './containers/zip.ts'
import { checkNpy } from './formats/npy.ts'
import { checkers } from './formats/registry.ts'
import { identify, type Kind } from './identify.ts'
import type { Located, Report } from './observation.ts'
import { scanPickles } from './pickle/scan.ts'

/** What is being read, and from where in the file. */
export interface Place {
  readonly file: string
  readonly inside: readonly string[]
}

export interface Reading {
  readonly limits: Limits
  readonly budget: Budget
  /** Bytes of the files of the folder, by path. */
  readonly sizes: ReadonlyMap<string, number>
  /** Names of publishers that are allowed; none: they are not looked at. */
  readonly publishers?: readonly string[]
  readonly observe: (observation: Located) => void
  /** What was read: a sentence for the report. */
  readonly note: (place: Place, text: string) => void
}

const archives: ReadonlySet<Kind> = new Set(['zip', 'tar'])
const packings: { readonly [K in Kind]?: Packing } = {
  gzip: 'gzip',
  zlib: 'zlib',
  bzip2: 'bzip2',
  lzma: 'lzma',
  xz: 'xz',
  lz4: 'lz4',
  zstd: 'zstd',
}
const opaque: { readonly [K in Kind]?: string } = {
  '7z': 'a 7z archive',
  rar: 'a RAR archive',
  cabinet: 'a cabinet archive',
}
const headBytes = 1_024

/** Reads one file, or one member of one, by what its bytes are. Nothing in it is executed, imported or deserialised. */
export function scanBytes(bytes: Bytes, name: string, place: Place, reading: Reading): void {
  const report: Report = (observation) => reading.observe({ ...observation, ...place })
  const found = identify(bytes, name)
  // By chance raw numbers begin like anything.
  const kind = isStorage(name) && found !== 'pickle' ? 'unknown' : found
  const deeper = (part: Bytes, step: string): void => {
    if (place.inside.length >= reading.limits.maxDepth) {
      report({
        rule: 'opaque-container',
        verdict: 'block',
        subject: 'depth',
        message: `has archives within archives deeper than ${reading.limits.maxDepth}: what is in them was not read.`,
        offset: null,
      })
      return
    }
    scanBytes(part, step, { file: place.file, inside: [...place.inside, step] }, reading)
  }
  if (kind !== 'zip' && zipTail(bytes)) {
    report({
      rule: 'container-lie',
      verdict: 'block',
      subject: 'polyglot',
      message: 'is also a zip archive, which other readers find at its end.',
      offset: 0,
    })
    scanMembers(
      zipMembers(bytes, { maxMembers: reading.budget.members, room: () => reading.budget.unpackedBytes }, () => {}),
      deeper,
      report,
      reading,
    )
  }
  if (archives.has(kind)) {
    const room = (): number => reading.budget.unpackedBytes
    const members = kind === 'zip' ? zipMembers(bytes, { maxMembers: reading.budget.members, room }, report) : tarMembers(bytes, report)
    scanMembers(members, deeper, report, reading)
    return
  }
  const packing = packings[kind]
  if (packing !== undefined || kind === 'joblib-zf') {
    // Two bytes that begin zlib data, or three that begin LZMA, begin other things as well.
    unpack(kind === 'joblib-zf' ? joblibZf(bytes) : bytes, packing ?? 'zlib', kind === 'zlib' || kind === 'lzma', deeper, report, reading)
    return
  }
  const named = opaque[kind]
  if (named !== undefined) {
    report({ rule: 'opaque-container', verdict: 'block', subject: kind, message: `is ${named}, which is not looked into.`, offset: 0 })
    return
  }
  if (kind === 'pickle') {
    scanPickle(bytes, 0, !isStorage(name), place, report, reading, deeper)
    return
  }
  if (kind === 'npy') {
    const at = checkNpy(bytes, report)
    if (at !== null) scanPickle(bytes, at, true, place, report, reading, deeper)
    return
  }
  const folder = place.file.slice(0, place.file.lastIndexOf('/') + 1)
  const sibling = (other: string): number | null =>
    place.inside.length > 0 ? null : (reading.sizes.get(`${folder}${other.replace(/^\.\//, '')}`) ?? null)
  const check = checkers[kind]
  const { limits, publishers = [] } = reading
  if (check !== undefined) check({ bytes, name, report, limits, publishers, note: (text) => reading.note(place, text), sibling })
  if (kind === 'unknown' || kind === 'text') scanPickle(bytes, 0, false, place, report, reading, deeper)
}

/** "ZF", the size in hexadecimal, then zlib: joblib before 0.10. */
function joblibZf(bytes: Bytes): Bytes {
  const head = bytes.read(0, 32)
  for (let at = 5; at < head.length; at++)
    if (head[at] === 0x78 && [0x01, 0x5e, 0x9c, 0xda].includes(head[at + 1] ?? 0)) return partOf(bytes, at, bytes.size - at)
  return partOf(bytes, 21, bytes.size - 21)
}

/** The end record of a zip archive, as `zipfile.is_zipfile` looks for it: without a comment, so that chance finds none. */
function zipTail(bytes: Bytes): boolean {
  const end = bytes.read(bytes.size - 22, 22)
  return bytes.size > 22 && end.length === 22 && end.readUInt32LE(0) === 0x06054b50 && end.readUInt16LE(20) === 0
}

function scanMembers(members: Iterable<Member>, deeper: (bytes: Bytes, name: string) => void, report: Report, reading: Reading): void {
  for (const member of members) {
    if (reading.budget.members-- <= 0) {
      report({
        rule: 'opaque-container',
        verdict: 'review',
        subject: 'members',
        message: `holds more than ${reading.limits.maxMembers.toLocaleString('en')} members: the rest was not read.`,
        offset: null,
      })
      return
    }
    try {
      // Raw numbers are known by their first bytes: the rest of a storage of gigabytes is not read.
      const head = member.head(headBytes)
      if (
        head.length === headBytes &&
        identify({ ...inMemory(head), size: member.size }, member.name) === 'unknown' &&
        isStorage(member.name)
      )
        continue
      // Of a packed array of numbers the header says all.
      if (
        member.packed &&
        identify(inMemory(head), member.name) === 'npy' &&
        checkNpy({ ...inMemory(head), size: member.size }, () => {}) === null
      )
        continue
      const content = member.bytes()
      if (member.packed) reading.budget.unpackedBytes -= content.size
      deeper(content, member.name)
      if (content.size <= reading.limits.maxTextBytes) member.note?.()
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error
      if (error.reason === 'large') reading.budget.unpackedBytes = Math.floor(reading.budget.unpackedBytes / 2)
      unreadable(error, member.name, report)
    }
  }
}

/** Members of a PyTorch archive that hold numbers and nothing else: `archive/data/0`. */
const isStorage = (name: string): boolean => /(?:^|\/)(?:data|constants|tensors)\/\d+$/.test(name)

function unreadable({ reason, message }: Unreadable, name: string, report: Report): void {
  report({
    rule: reason === 'damaged' ? 'format-violation' : 'opaque-container',
    verdict: reason === 'opaque' ? 'block' : 'review',
    subject: name,
    message: `was not looked into at ${name}: ${message}.`,
    offset: null,
  })
}

function unpack(
  bytes: Bytes,
  packing: Packing,
  quiet: boolean,
  deeper: (bytes: Bytes, name: string) => void,
  report: Report,
  reading: Reading,
): void {
  try {
    const content = unpackAll(bytes, packing, reading.budget.unpackedBytes)
    reading.budget.unpackedBytes -= content.size
    deeper(content, packing)
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error
    // What ran out of room takes half of it along: a thousand of the kind cost no more than two.
    if (error.reason === 'large') reading.budget.unpackedBytes = Math.floor(reading.budget.unpackedBytes / 2)
    if (!quiet || error.reason !== 'damaged') unreadable(error, packing, report)
  }
}

function scanPickle(
  bytes: Bytes,
  start: number,
  expected: boolean,
  place: Place,
  report: Report,
  reading: Reading,
  deeper: (bytes: Bytes, name: string) => void,
): void {
  const embedded = (part: Bytes, name: string): void => deeper(part, `argument of ${name}`)
  const { pickles, refusedByWeightsOnly, frameworks } = scanPickles(bytes, start, { expected, embedded }, report)
  if (!expected || pickles === 0) return
  const made = frameworks.length > 0 ? `; names classes of ${frameworks.join(', ')}` : ''
  reading.note(
    place,
    refusedByWeightsOnly === null
      ? `loads under weights_only${made}`
      : `does not load under weights_only, since ${refusedByWeightsOnly}${made}`,
  )
}

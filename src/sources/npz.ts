import type { Readable } from 'node:stream'
import { crc32 } from 'node:zlib'
import type { Entry, ZipFile } from 'yauzl'
import type { ShardSpec, SourceSpec } from '../contracts/data.ts'
import { type ArrayReader, alignedChunks, arrayRoles, batchRowsOf, checkAligned, printsBooleans, sampleArray } from './arrays.ts'
import { handOver, rolesOf } from './assemble.ts'
import { asSourceError, reasonOf, SourceError } from './errors.ts'
import type { ColumnSample, SourceFormat } from './format.ts'
import { limits } from './limits.ts'
import { type ArrayHeader, headerLength, parseHeader } from './npy-header.ts'
import { itemsOf, transposed } from './npy-items.ts'
import { entriesOf, openZip, streamOf } from './zip.ts'

const zipError = (e: unknown, path: string): SourceError => {
  const reason = reasonOf(e)
  const code = /end of central directory|unexpected eof/i.test(reason) ? 'truncated' : 'corrupt'
  if (e instanceof SourceError || (e as { code?: unknown }).code === 'ENOENT') return asSourceError(e, path, '')
  return new SourceError(code, `${path}: damaged archive: ${reason}`, { file: path }, 'fetch or save the file again')
}

/** The arrays of an archive by name, without `.npy`. */
async function withArchive<T>(path: string, use: (zip: ZipFile, members: ReadonlyMap<string, Entry>) => Promise<T>): Promise<T> {
  let zip: ZipFile | undefined
  try {
    zip = await openZip(path)
    return await use(zip, await membersOf(zip, path))
  } catch (e) {
    throw zipError(e, path)
  } finally {
    zip?.close()
  }
}

async function membersOf(zip: ZipFile, path: string): Promise<Map<string, Entry>> {
  const members = new Map<string, Entry>()
  if (zip.entryCount > limits.archiveMembers) throw new SourceError('too-large', `${path}: ${zip.entryCount} members`, { file: path })
  for (const entry of await entriesOf(zip)) {
    const file = String(entry.fileName)
    if (!file.endsWith('.npy')) continue
    const name = file.slice(0, -4)
    if (members.has(name)) throw new SourceError('corrupt', `${path}: two members are named ${JSON.stringify(file)}`, { file: path })
    if (entry.uncompressedSize > limits.expansionFloor && entry.uncompressedSize > limits.expansion * Math.max(entry.compressedSize, 1)) {
      throw new SourceError(
        'expands-too-much',
        `${path}: member ${JSON.stringify(file)} would grow from ${entry.compressedSize} to ${entry.uncompressedSize} bytes`,
        { file: path },
        'if the file is genuine, save it uncompressed (numpy.savez)',
      )
    }
    members.set(name, entry)
  }
  return members
}

/** Bytes of one member in order, its size and CRC-32 checked at the end. */
class Member {
  private readonly pieces: AsyncIterator<Buffer>
  private held: Buffer = Buffer.alloc(0)
  private crc = 0
  private taken = 0

  constructor(
    private readonly stream: Readable,
    private readonly entry: Entry,
    private readonly path: string,
    private readonly name: string,
  ) {
    this.pieces = (stream as AsyncIterable<Buffer>)[Symbol.asyncIterator]()
  }

  async take(length: number): Promise<Buffer> {
    const out = Buffer.from(new ArrayBuffer(length))
    let done = 0
    while (done < length) {
      if (this.held.length === 0 && !(await this.more())) {
        const offset = this.taken + done
        const message = `${this.path}: member ${JSON.stringify(this.name)} ends after ${offset} bytes`
        throw new SourceError('truncated', message, { file: this.path, column: this.name, offset })
      }
      const n = Math.min(this.held.length, length - done)
      this.held.copy(out, done, 0, n)
      this.held = this.held.subarray(n)
      done += n
    }
    this.taken += length
    return out
  }

  private async more(): Promise<boolean> {
    const next = await this.pieces.next()
    if (next.done) return false
    this.crc = crc32(next.value, this.crc)
    this.held = next.value
    return true
  }

  /** Called when everything is taken: nothing may follow, and the checksum must be that of the archive. */
  async end(): Promise<void> {
    if (this.held.length || (await this.more()) || this.crc !== this.entry.crc32) {
      const message = `${this.path}: the checksum of member ${JSON.stringify(this.name)} is wrong`
      throw new SourceError('corrupt', message, { file: this.path, column: this.name }, 'fetch or save the file again')
    }
  }

  close(): void {
    this.stream.destroy()
  }
}

async function openMember(zip: ZipFile, entry: Entry, path: string, name: string): Promise<{ member: Member; header: ArrayHeader }> {
  if (entry.isEncrypted())
    throw new SourceError('unsupported', `${path}: member ${JSON.stringify(name)} is encrypted`, { file: path, column: name })
  const member = new Member(await streamOf(zip, entry), entry, path, name)
  try {
    const shown = `${path}: ${name}.npy`
    const start = await member.take(Math.min(12, entry.uncompressedSize))
    const length = headerLength(start, path, shown)
    if (length === null || length > entry.uncompressedSize) {
      throw new SourceError('truncated', `${shown}: ends inside its header`, { file: path, column: name })
    }
    const header = parseHeader(Buffer.concat([start, await member.take(length - start.length)]), length, path, shown)
    const expected = length + header.rows * header.dims * header.itemBytes
    if (expected !== entry.uncompressedSize) {
      const message = `${shown}: has ${entry.uncompressedSize} bytes where its header declares ${expected}`
      throw new SourceError('corrupt', message, { file: path, column: name }, 'fetch or save the file again')
    }
    return { member, header }
  } catch (e) {
    member.close()
    throw e
  }
}

class Streamed implements ArrayReader {
  private next = 0
  private whole: Buffer | null = null

  constructor(
    private readonly member: Member,
    private readonly header: ArrayHeader,
    private readonly path: string,
    private readonly boolText: boolean,
  ) {}

  async read(rows: number) {
    const { header } = this
    const rowBytes = header.dims * header.itemBytes
    let bytes: Buffer
    if (header.fortran) {
      this.whole ??= await this.takeWhole(header.rows * rowBytes)
      bytes = Buffer.from(Uint8Array.from(this.whole.subarray(this.next * rowBytes, (this.next + rows) * rowBytes)).buffer)
    } else bytes = await this.member.take(rows * rowBytes)
    this.next += rows
    if (this.next === header.rows) await this.member.end()
    return itemsOf(bytes, header, this.boolText)
  }

  private async takeWhole(bytes: number): Promise<Buffer> {
    if (bytes > limits.wholeArrayBytes) {
      const message = `${this.path}: an array of ${bytes} bytes in Fortran order inside an archive`
      throw new SourceError('too-large', message, { file: this.path }, 'save it in C order (numpy.ascontiguousarray) or as .npy')
    }
    return transposed(await this.member.take(bytes), this.header.rows, this.header)
  }

  async close(): Promise<void> {
    this.member.close()
  }
}

const splitName =
  /^(train|training|test|testing|val|valid|validation|dev)_(.+)$|^(.+)_(train|training|test|testing|val|valid|validation|dev)$/

/** `train_images`, `x_test`: the part of the name that tells the split, and the rest. */
function splitOf(name: string): { split: string; rest: string } | null {
  const m = splitName.exec(name)
  return m ? { split: (m[1] ?? m[4]) as string, rest: (m[2] ?? m[3]) as string } : null
}

/** Splits in the order of the archive, when every array belongs to one and each has the same arrays. */
function splitsOf(names: readonly string[]): Map<string, Map<string, string>> | null {
  const splits = new Map<string, Map<string, string>>()
  for (const name of names) {
    const parts = splitOf(name)
    if (!parts) return null
    const group = splits.get(parts.split) ?? new Map<string, string>()
    group.set(parts.rest, name)
    splits.set(parts.split, group)
  }
  const sets = new Set([...splits.values()].map((g) => [...g.keys()].sort().join('\0')))
  return splits.size > 0 && sets.size === 1 ? splits : null
}

const named = (spec: SourceSpec): boolean => spec.arrays !== undefined || spec.columns !== undefined || spec.features !== undefined

/** Column name to member name, for each group of aligned arrays. Splits become groups only where the roles are guessed. */
function groupsOf(names: readonly string[], spec: SourceSpec): { split: string | null; members: ReadonlyMap<string, string> }[] {
  const splits = named(spec) ? null : splitsOf(names)
  if (!splits) return [{ split: null, members: new Map(names.map((n) => [n, n])) }]
  return [...splits].map(([split, members]) => ({ split, members }))
}

export const npz: SourceFormat = {
  name: 'npz',
  extensions: ['.npz'],
  detect: (head) => head[0] === 0x50 && head[1] === 0x4b && ((head[2] === 3 && head[3] === 4) || (head[2] === 5 && head[3] === 6)),

  columns: (path, spec) =>
    withArchive(path, async (zip, members) => {
      const [group] = groupsOf([...members.keys()], spec)
      if (members.size === 0) throw new SourceError('empty', `${path}: holds no .npy arrays`, { file: path })
      const samples: ColumnSample[] = []
      for (const [column, name] of group?.members ?? []) {
        const { member, header } = await openMember(zip, members.get(name) as Entry, path, name)
        try {
          const rows = Math.min(header.rows, limits.sampleRows, batchRowsOf([header]))
          const whole = header.fortran && header.rows * header.dims * header.itemBytes > limits.wholeArrayBytes
          const cells = whole ? itemsOf(Buffer.alloc(0), header, false) : await new Streamed(member, header, path, false).read(rows)
          samples.push(sampleArray(column, header, cells))
        } finally {
          member.close()
        }
      }
      return samples
    }),

  shards: (path, id, spec, columns, every) =>
    withArchive(path, async (zip, entries) => {
      const shards: ShardSpec[] = []
      const used = new Set(arrayRoles(columns).map(([, name]) => name))
      for (const { split, members } of groupsOf([...entries.keys()], spec)) {
        const arrays: { name: string; member: string; header: ArrayHeader }[] = []
        const others: typeof arrays = []
        for (const column of every ? new Set([...used, ...members.keys()]) : used) {
          const name = members.get(column)
          const entry = name === undefined ? undefined : entries.get(name)
          if (name === undefined || !entry)
            throw new SourceError('mixed-schema', `${path}: no array ${JSON.stringify(column)}`, { file: path, column })
          const { member, header } = await openMember(zip, entry, path, name)
          member.close()
          const list = used.has(column) || used.size === 0 ? arrays : others
          list.push({ name: column, member: name, header })
        }
        const rows = checkAligned(arrays, path)
        // what is not aligned with the records is no part of them: names of classes, another split
        arrays.push(...others.filter((a) => a.header.rows === rows))
        const skipped = others.filter((a) => a.header.rows !== rows).map((a) => a.member)
        const bytes = arrays.reduce((sum, a) => sum + rows * a.header.dims * a.header.itemBytes, 0)
        const members_ = Object.fromEntries(arrays.map((a) => [a.name, a.member]))
        const options = { members: members_, ...(skipped.length ? { skipped } : {}) }
        shards.push({ id: split ? `${id}#${split}` : id, format: 'npz', path, bytes, expectedRows: rows, options })
      }
      return shards
    }),

  async *read(shard, issue, tap) {
    const roles = rolesOf(shard.options)
    let zip: ZipFile | undefined
    try {
      zip = await openZip(shard.path)
      const entries = await membersOf(zip, shard.path)
      const readers = new Map<string, ArrayReader>()
      const arrays: { name: string; header: ArrayHeader }[] = []
      for (const [name, memberName] of Object.entries(shard.options.members as Record<string, string>)) {
        const entry = entries.get(memberName)
        if (!entry)
          throw new SourceError('mixed-schema', `${shard.path}: no array ${JSON.stringify(memberName)}`, { file: shard.path, column: name })
        const { member, header } = await openMember(zip, entry, shard.path, memberName)
        readers.set(name, new Streamed(member, header, shard.path, printsBooleans(roles.columns, name)))
        arrays.push({ name, header })
      }
      const rows = checkAligned(arrays, shard.path)
      for await (const chunk of alignedChunks(readers, 0, rows, batchRowsOf(arrays.map((a) => a.header)))) {
        const batch = handOver(chunk, roles, shard.path, issue, tap)
        if (batch) yield batch
      }
    } catch (e) {
      throw zipError(e, shard.path)
    } finally {
      zip?.close()
    }
  },
}

import { isUtf8 } from 'node:buffer'
import { inspect } from 'node:util'
import type { Cells, Chunk } from '../../contracts/chunk.ts'
import { invalidUtf8 } from '../../contracts/chunk.ts'
import type { RecordSchema, SnapshotColumns, SnapshotSegment } from '../../contracts/snapshot.ts'
import { byValue, type Encoder, textValue, Unreadable } from './canonical.ts'
import { type Digester, digester, putDigest } from './digest.ts'
import { columnAppender, type FieldAppender, type FieldName, fieldName } from './fields.ts'
import { type FieldSpec, parseFieldType } from './schema.ts'
import { type LeafLayout, leafLayout, noId, word } from './segment.ts'
import { SegmentWriter } from './segment-writer.ts'
import { Sketch } from './sketch.ts'
import { instant } from './typed.ts'

/** Values that are not of their declared type, in one column. */
export interface Misfits {
  readonly column: string
  readonly count: number
  /** The first of them, shortened. */
  readonly example: string
}

/** Turns the chunks of one shard into segments. One at a time in a thread. */
export interface LeafSink {
  add(chunk: Chunk): void
  /** Rows taken so far. */
  readonly rows: number
  /** Rows that cannot be told from others, because a text in them is not UTF-8: they are in no leaf. */
  readonly rejected: number
  readonly misfits: readonly Misfits[]
  close(): Promise<readonly SnapshotSegment[]>
  /** Removes what was written. */
  abandon(): Promise<void>
}

export interface SinkOptions {
  /** Names of integer labels, in order, as the source declares them. */
  readonly classes?: readonly string[] | null
  /** Bound of the records in memory before they become a segment. */
  readonly bufferBytes?: number
}

const defaultBufferBytes = 12 * 2 ** 20
const maxNameLength = 4096
const maxCached = 50_000
const maxCachedNames = 1000

/** What a value is as a name of a label, a source or an id: scalars as text. `undefined`: it is no scalar. */
function nameOf(value: unknown): string | null | undefined {
  if (typeof value === 'string') return value === '' ? null : value
  if (value === null || value === undefined) return null
  if (typeof value === 'number') return Number.isNaN(value) ? null : String(value === 0 ? 0 : value)
  if (typeof value === 'bigint' || typeof value === 'boolean') return String(value)
  if (value === invalidUtf8) throw new Unreadable()
  if (value instanceof Uint8Array) {
    if (!isUtf8(value)) throw new Unreadable()
    return nameOf(Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('utf8'))
  }
  return value instanceof Date ? value.toISOString() : undefined
}

function cell(cells: Cells | undefined): (i: number) => unknown {
  if (!cells) return () => null
  if (cells.kind === 'values') return (i) => cells.values[i]
  if (cells.kind === 'numbers') return (i) => (cells.valid && !cells.valid[i] ? null : cells.data[i])
  if (cells.kind === 'codes') return (i) => ((cells.codes[i] as number) < 0 ? null : cells.values[cells.codes[i] as number])
  return (i) => {
    if (cells.valid && !cells.valid[i]) return null
    const start = cells.dims === null ? (cells.starts?.[i] ?? 0) : i * cells.dims
    const length = cells.dims ?? cells.lengths?.[i] ?? 0
    const list = Array.from(cells.data.subarray(start, start + length) as ArrayLike<unknown>)
    return list.length === 1 ? list[0] : list
  }
}

interface Name {
  /** Null where there is none. */
  readonly text: string | null
  /** 24 bytes. */
  readonly digest: Uint32Array
}

const wordsOf = (digest: string): Uint32Array => new Uint32Array(Uint8Array.from(Buffer.from(digest, 'latin1')).buffer, 0, 6)

/** A label or a source by its raw value; names are few and come again. */
class NameCache {
  private readonly known = new Map<unknown, Name>()

  constructor(
    private readonly digest: Digester,
    private readonly prefix: string,
    private readonly classes: readonly string[] | null,
    private readonly plain: Encoder,
  ) {}

  get(value: unknown): Name {
    const cached = this.known.get(value)
    if (cached) return cached
    const name = this.make(value)
    if (typeof value !== 'object') {
      if (this.known.size >= maxCached) this.known.clear()
      // a slice of a large text would keep all of it
      this.known.set(typeof value === 'string' ? copied(value) : value, name)
    }
    return name
  }

  private make(value: unknown): Name {
    const found = nameOf(value)
    if (found === undefined) {
      const text = byValue(value, this.plain) ?? 'z'
      this.plain.misfit(value)
      return { text: '(several values)', digest: wordsOf(this.digest.text(`${this.prefix}${text}`)) }
    }
    if (found === null || found.trim() === '') return { text: null, digest: wordsOf(this.digest.text(`${this.prefix}z`)) }
    const named = this.classes && /^[+-]?\d+(\.0+)?$/.test(found) ? (this.classes[Number(found)] ?? found) : found
    return { text: copied(named.slice(0, maxNameLength)), digest: wordsOf(this.digest.text(`${this.prefix}${textValue(named)}`)) }
  }
}

const copied = (text: string): string => JSON.parse(JSON.stringify(text)) as string

/**
 * A sink for the leaves of one shard. `name` begins the names of its files in `folder/segments`; with a key, digests are
 * HMACs and no ids are kept.
 */
export function openLeafSink(
  folder: string,
  name: string,
  columns: SnapshotColumns,
  schema: RecordSchema,
  key: Uint8Array | null,
  options: SinkOptions = {},
): LeafSink {
  return new Sink(folder, name, columns, schema, key, options)
}

class Sink implements LeafSink {
  rows = 0
  rejected = 0
  private readonly writer: SegmentWriter
  private readonly layout: LeafLayout
  private readonly digest: Digester
  private readonly sketch: Sketch | null
  private readonly encoder: Encoder
  private readonly labels: NameCache
  private readonly sources: NameCache
  private readonly types: ReadonlyMap<string, FieldSpec>
  private readonly counts = new Map<string, { count: number; example: string }>()
  private readonly names = new Map<string, FieldName>()
  private column = ''

  constructor(
    folder: string,
    name: string,
    private readonly columns: SnapshotColumns,
    schema: RecordSchema,
    private readonly key: Uint8Array | null,
    options: SinkOptions,
  ) {
    const keyBytes = columns.id === null ? 32 : 16
    this.layout = leafLayout(keyBytes)
    this.writer = new SegmentWriter(folder, `segments/${name}`, keyBytes, options.bufferBytes ?? defaultBufferBytes)
    this.digest = digester(key)
    this.sketch = keyBytes === 32 && key === null ? new Sketch() : null
    this.encoder = { sketch: this.sketch, nulls: new Set(schema.nulls), misfit: (value) => this.misfit(value) }
    const plain: Encoder = { ...this.encoder, sketch: null }
    this.labels = new NameCache(this.digest, 'l', options.classes ?? null, plain)
    this.sources = new NameCache(this.digest, 's', null, plain)
    this.types = new Map(
      Object.entries(schema.columns ?? {}).flatMap(([column, type]) => {
        const spec = parseFieldType(type)
        return spec ? [[column, spec]] : []
      }),
    )
  }

  get misfits(): readonly Misfits[] {
    return [...this.counts].map(([column, { count, example }]) => ({ column, count, example }))
  }

  add(chunk: Chunk): void {
    const { columns } = this
    const apart = new Set([columns.id, columns.label, ...columns.ignored])
    const names = [...chunk.columns.keys()].filter((n) => !apart.has(n)).sort()
    const fields = names.map((n) => columnAppender(this.nameOf(n), chunk.columns.get(n) as Cells, this.types.get(n) ?? null, this.encoder))
    const at = (column: string | null) => (column === null ? null : cell(chunk.columns.get(column)))
    const [id, label, source, time] = [at(columns.id), at(columns.label), at(columns.source), at(columns.time)]
    for (let i = 0; i < chunk.rows.length; i++) {
      try {
        this.sketch?.clear()
        let text = 'c'
        for (let k = 0; k < fields.length; k++) {
          this.column = names[k] as string
          text = (fields[k] as FieldAppender)(text, i)
        }
        this.column = columns.label ?? ''
        const given = this.labels.get(label?.(i))
        this.column = columns.source ?? ''
        const from = source && this.sources.get(source(i))
        this.column = columns.id ?? ''
        this.put(chunk.rows[i] as number, text, id?.(i), given, from?.text ?? null, time?.(i))
      } catch (e) {
        if (!(e instanceof Unreadable)) throw e
        this.rejected++
      }
    }
  }

  private nameOf(column: string): FieldName {
    let name = this.names.get(column)
    if (!name) {
      if (this.names.size >= maxCachedNames) this.names.clear()
      name = fieldName(column)
      this.names.set(column, name)
    }
    return name
  }

  /** Fills one record: nothing is written before everything is known. */
  private put(row: number, text: string, id: unknown, label: Name, source: string | null, time: unknown): void {
    const { writer, layout } = this
    const content = this.digest.text(text)
    const kept = layout.keyBytes === 16 ? this.idText(id) : null
    const key = layout.keyBytes === 32 ? content : this.digest.text(kept === null ? `k${content}` : `i${kept}`)
    const at = writer.begin((key.charCodeAt(0) << 2) | (key.charCodeAt(1) >> 6))
    const { bytes, words } = writer
    putDigest(key, bytes, at, layout.keyBytes)
    if (layout.keyBytes === 16) putDigest(content, bytes, at + 16, 24)
    else if (this.sketch) {
      this.sketch.text(text)
      this.sketch.put(bytes, at + 56)
    } else bytes.fill(0, at + 56, at + 64)
    bytes.writeDoubleLE(instant(time)?.ms ?? Number.NaN, at + word.time * 4)
    const first = at / 4
    const labelAt = first + layout.label[0] / 4
    for (let k = 0; k < 6; k++) words[labelAt + k] = label.digest[k] as number
    words[first + word.row] = row
    words[first + word.label] = label.text === null ? 0xffffffff : writer.labels.count(label.text)
    words[first + word.source] = source === null ? 0xffffffff : writer.sources.count(source)
    words[first + word.id] = kept === null || this.key !== null ? noId : writer.keepId(kept)
    this.rows++
    writer.next()
  }

  private idText(value: unknown): string | null {
    const found = nameOf(value)
    if (found !== undefined) return found
    this.misfit(value)
    return byValue(value, { ...this.encoder, sketch: null })
  }

  private misfit(value: unknown): void {
    const entry = this.counts.get(this.column)
    if (entry) entry.count++
    else
      this.counts.set(this.column, { count: 1, example: inspect(value, { depth: 1, breakLength: Number.POSITIVE_INFINITY }).slice(0, 80) })
  }

  async close(): Promise<readonly SnapshotSegment[]> {
    return this.writer.close()
  }

  async abandon(): Promise<void> {
    this.writer.abandon()
  }
}

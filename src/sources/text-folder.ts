import { isUtf8 } from 'node:buffer'
import { readFile, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { type Cells, invalidUtf8 } from '../contracts/chunk.ts'
import type { ShardSpec, SourceSpec } from '../contracts/data.ts'
import { handOver, rolesOf } from './assemble.ts'
import { sequence } from './cells.ts'
import { SourceError } from './errors.ts'
import { byName, idOf, textsIn } from './files.ts'
import type { ColumnSample, SourceFormat } from './format.ts'
import { limits } from './limits.ts'
import { sampleColumn } from './sample.ts'

const filesOf = async (root: string, spec: SourceSpec): Promise<readonly string[]> => {
  const files = Array.isArray(spec.path) ? (spec.path as readonly string[]) : await textsIn(root)
  const ids = files.map((f) => idOf(f, root)).sort(byName)
  if (ids.length === 0) throw new SourceError('empty', `${root}: holds no text files`, { file: root })
  return ids
}

/** Class by folder, unless the files all lie in the root. */
const labelOf = (id: string): string | null => (id.includes('/') ? basename(dirname(id)) : null)
const isFlat = (ids: readonly string[]): boolean => ids.every((id) => !id.includes('/'))

/** Folders of text files: one record a file, its class the name of its folder. */
export const textFolder: SourceFormat = {
  name: 'text-folder',
  extensions: [],
  detect: () => false,

  async columns(path, spec): Promise<readonly ColumnSample[]> {
    if (spec.labels !== undefined)
      throw new SourceError('invalid-spec', '`labels:` is read for images only: put texts of a class in a folder of its own')
    const ids = await filesOf(path, spec)
    const first = ids.slice(0, limits.sampleRows)
    const values = (of: (id: string) => string | null): Cells => ({ kind: 'values', values: first.map(of) })
    return [
      sampleColumn(
        'text',
        values(() => 'text'),
        'file',
        false,
      ),
      sampleColumn(
        'id',
        values((id) => id),
        null,
        false,
      ),
      ...(isFlat(ids) ? [] : [sampleColumn('label', values(labelOf), null, false)]),
    ]
  },

  async shards(path, id, spec): Promise<readonly ShardSpec[]> {
    const ids = await filesOf(path, spec)
    const shards: ShardSpec[] = []
    for (let first = 0; first < ids.length; first += limits.textShardFiles) {
      const part = ids.slice(first, first + limits.textShardFiles)
      let bytes = 0
      for (const name of part)
        bytes += await stat(join(path, name)).then(
          (s) => s.size,
          () => 0,
        )
      shards.push({
        id: ids.length > limits.textShardFiles ? `${id}#${first}+${part.length}` : id,
        format: 'text-folder',
        path,
        bytes,
        expectedRows: part.length,
        options: { first, flat: isFlat(ids), names: part },
      })
    }
    return shards
  },

  async *read(shard, issue, tap) {
    const roles = rolesOf(shard.options)
    const { first, flat, names } = shard.options as unknown as { first: number; flat: boolean; names: readonly string[] }
    let texts: unknown[] = []
    let from = 0
    let size = 0
    const flush = (to: number) => {
      const part = names.slice(from, to)
      const columns = new Map<string, Cells>([
        ['text', { kind: 'values', values: texts }],
        ['id', { kind: 'values', values: part }],
        ...(flat ? [] : ([['label', { kind: 'values', values: part.map(labelOf) }]] as const)),
      ])
      const batch = handOver({ rows: sequence(first + from, part.length), lines: null, columns }, roles, shard.path, issue, tap)
      texts = []
      from = to
      size = 0
      return batch
    }
    for (const [i, name] of names.entries()) {
      const text = await load(join(shard.path, name))
      texts.push(text)
      size += typeof text === 'string' ? text.length : 0
      if (size < limits.batchBytes && texts.length < limits.batchRows) continue
      const batch = flush(i + 1)
      if (batch) yield batch
    }
    const batch = flush(names.length)
    if (batch) yield batch
  },
}

/** The text of a file without its byte order mark. What is too large is not read: a text that is one too long stands for it. */
async function load(path: string): Promise<string | typeof invalidUtf8> {
  const found = await stat(path).catch(() => null)
  if (!found?.isFile())
    throw new SourceError('not-found', `${path}: was there when the folder was listed and cannot be read now`, { file: path }, undefined, 2)
  if (found.size > limits.recordBytes) return 'x'.repeat(limits.textLength + 1)
  const bytes = await readFile(path)
  return isUtf8(bytes) ? bytes.toString('utf8').replace(/^\ufeff/, '') : invalidUtf8
}

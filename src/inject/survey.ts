import { rowsOf } from '../contracts/batch.ts'
import type { ShardSpec } from '../contracts/data.ts'
import { keyed } from '../math/rng.ts'
import { readShard } from '../sources/read.ts'
import type { Attack, Facts, FieldName, Sampled, Shown, Where } from './attack.ts'
import { InjectError } from './errors.ts'
import { fieldReader } from './fields.ts'

export interface Survey {
  readonly facts: Facts
  /** Shard and row of every record that may be chosen, in the order of the data. */
  readonly shards: Uint32Array
  readonly rows: Uint32Array
  /** Rows that could not be read: they are copied as they are. */
  readonly rejected: number
}

class Growing {
  private held = new Uint32Array(1024)
  length = 0
  push(value: number): void {
    if (this.length === this.held.length) {
      const grown = new Uint32Array(2 * this.length)
      grown.set(this.held)
      this.held = grown
    }
    this.held[this.length++] = value
  }
  done(): Uint32Array {
    return this.held.subarray(0, this.length)
  }
}

/** What truth and reports call the file of a shard: without the range of rows, with the split of an archive. */
export const shardName = ({ id, format }: ShardSpec): string => (format === 'npz' ? id : id.replace(/#\d+\+\d+$/, ''))

const hasAll = (record: Shown, needs: readonly FieldName[]): boolean =>
  needs.every((name) => (name === 'pixels' || name === 'numbers' || name === 'categories' ? true : record[name] !== null))

const lacking: { readonly [F in FieldName]: string } = {
  label: 'labels: no column has the role label',
  source: 'sources: no column has the role source',
  text: 'texts: no column has the role text',
  response: 'responses: no column has the role response',
  pixels: 'pictures: no column has the role image',
  numbers: 'numeric columns: no column has the role features',
  categories: 'columns of categories: no column has the role categories',
}
export const roleOf = {
  label: 'label',
  source: 'source',
  text: 'text',
  response: 'response',
  pixels: 'image',
  numbers: 'features',
  categories: 'categories',
} as const

/** Throws where the data have no such column at all. */
export function checkRoles(attack: Attack, options: unknown, roles: readonly string[]): void {
  const absent = attack.needs(options).find((name) => !roles.includes(roleOf[name]))
  if (absent) throw new InjectError('missing-field', `attack ${attack.id} needs ${lacking[absent]}`, 'name the columns, as for assay audit')
}

const sampleBytes = 256 * 2 ** 20

/** Reads everything once: labels, who may be chosen, and a uniform sample of the records (Vitter's algorithm R). */
export async function survey(shards: readonly ShardSpec[], attack: Attack, options: unknown, seed: Uint8Array): Promise<Survey> {
  const needs = attack.needs(options)
  const wantsTexts = attack.family === 'text'
  const counts = new Map<string, number>()
  const [chosenShards, chosenRows] = [new Growing(), new Growing()]
  const random = keyed(seed, 'inject/sample')
  const sample: (Sampled & { readonly at: number })[] = []
  let columns: readonly string[] = []
  let categories: readonly string[] = []
  let total = 0
  let rejected = 0
  let room = attack.sample
  for (const [s, shard] of shards.entries()) {
    const name = shardName(shard)
    const issue = ({ rejected: lost }: { rejected: boolean }): void => {
      if (lost) rejected++
    }
    for await (const batch of readShard(shard, issue)) {
      const reader = fieldReader(batch)
      const rows = rowsOf(batch)
      if (reader.columns.length) columns = reader.columns
      if (reader.categories.length) categories = reader.categories
      for (let i = 0; i < reader.rows; i++, total++) {
        const record = reader.shown(i, wantsTexts)
        if (record.label !== null) counts.set(record.label, (counts.get(record.label) ?? 0) + 1)
        if (hasAll(record, needs) && attack.eligible(options, record)) {
          chosenShards.push(s)
          chosenRows.push(rows[i] as number)
        }
        const place = sample.length < room ? sample.length : random.below(total + 1)
        if (place >= room) continue
        const where: Where = { shard: name, row: rows[i] as number }
        const fields = await reader.fields(i, needs.includes('pixels'))
        sample[place] = { at: total, where, fields }
        // large pictures: fewer of them
        const bytes = (fields.pixels?.data.byteLength ?? 0) + 2 * (fields.text?.length ?? 0)
        if (bytes * room > sampleBytes && sample.length === room) room = Math.max(1, Math.floor(sampleBytes / bytes))
        if (sample.length > room) sample.length = room
      }
    }
  }
  const labels = [...counts].map(([name, count]) => ({ name, count })).sort((a, b) => (a.name < b.name ? -1 : 1))
  sample.sort((a, b) => a.at - b.at)
  const facts: Facts = { rows: total, labels, columns, categories, sample: sample.map(({ where, fields }) => ({ where, fields })) }
  return { facts, shards: chosenShards.done(), rows: chosenRows.done(), rejected }
}

/** `count` of the eligible records, each set of that size equally likely; positions in the survey, ascending. */
export function choose(eligible: number, count: number, seed: Uint8Array): Uint32Array {
  const random = keyed(seed, 'inject/choose')
  const order = Uint32Array.from({ length: eligible }, (_, i) => i)
  for (let i = 0; i < count; i++) {
    const j = i + random.below(eligible - i)
    const value = order[j] as number
    order[j] = order[i] as number
    order[i] = value
  }
  return order.slice(0, count).sort()
}

import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Json, ShardSpec, SourceListing, SourceSpec } from '../contracts/data.ts'
import { keyed } from '../math/rng.ts'
import { listSources } from '../sources/list.ts'
import { version } from '../version.ts'
import { attacks } from './attacks/registry.ts'
import { type ChosenShard, changesOf, type TruthRow } from './changes.ts'
import { checkOut, copyInputs, inputsOf } from './copy.ts'
import { InjectError } from './errors.ts'
import { parseOptions } from './options.ts'
import { checkRoles, choose, type Survey, survey } from './survey.ts'
import { truthText } from './truth.ts'

export interface InjectRequest {
  readonly sources: readonly SourceSpec[]
  /** Folder that relative paths and names of shards begin at. */
  readonly base: string
  readonly attack: string
  readonly options: Readonly<Record<string, unknown>>
  /** 32 hexadecimal digits. */
  readonly seed: string
  /** Share of the records that change, or how many. */
  readonly rate: number | null
  readonly count: number | null
  /** What the rate is a share of: all records that can be read, or those that may be chosen. */
  readonly of: 'all' | 'eligible'
  /** New or empty folder. */
  readonly out: string
}

export interface Injected {
  readonly rows: number
  readonly eligible: number
  readonly changed: number
  readonly rejected: number
  readonly files: readonly string[]
}

export function attackNamed(id: string): (typeof attacks)[number] {
  const attack = attacks.find((a) => a.id === id)
  if (attack) return attack
  throw new InjectError('unknown-attack', `no attack is named ${JSON.stringify(id)}`, `attacks: ${attacks.map((a) => a.id).join(', ')}`)
}

async function sha256(path: string): Promise<string> {
  const digest = createHash('sha256')
  for await (const piece of createReadStream(path)) digest.update(piece as Buffer)
  return digest.digest('hex')
}

/** SHA-256 of the lines that `sha256sum` would print for the files, in the order of their names. */
async function inputDigest(files: SourceListing['files']): Promise<string> {
  const lines: string[] = []
  for (const { path, id } of files) lines.push(`${await sha256(path)}  ${id}\n`)
  return createHash('sha256').update(lines.sort().join('')).digest('hex')
}

function countOf({ rate, count, of }: InjectRequest, { facts, rows }: Survey): number {
  const wanted = count ?? Math.round((rate ?? 0) * (of === 'all' ? facts.rows : rows.length))
  if (wanted < 1)
    throw new InjectError('too-few-records', `a rate of ${rate} of ${of === 'all' ? facts.rows : rows.length} records is none`)
  if (wanted > rows.length)
    throw new InjectError(
      'too-few-records',
      `${wanted} records are to change, and ${rows.length} of ${facts.rows} may be chosen`,
      'lower the rate',
    )
  return wanted
}

function chosenByShard(shards: readonly ShardSpec[], found: Survey, order: Uint32Array): Map<ShardSpec, ChosenShard> {
  const rows = shards.map(() => [] as number[])
  for (const at of order) rows[found.shards[at] as number]?.push(found.rows[at] as number)
  return new Map(shards.map((spec, i) => [spec, { spec, rows: Uint32Array.from(rows[i] ?? []) }]))
}

/**
 * Applies one attack to a copy of a data set, in its own format: untouched records keep their values, `truth.csv` names every
 * changed one, `inject.json` says how. The same request gives the same bytes. The copy appears whole or not at all.
 * @throws InjectError, SourceError
 */
export async function inject(request: InjectRequest): Promise<Injected> {
  const attack = attackNamed(request.attack)
  const options = parseOptions(attack, request.options)
  const listing = await listSources(request.sources, request.base)
  checkRoles(attack, options, listing.roles)
  const inputs = inputsOf(listing)
  const out = resolve(request.out)
  const files = listing.files.map((f) => f.path)
  await checkOut(out, [...files, ...inputs.map((i) => i.path)])
  const seed = Buffer.from(request.seed, 'hex')
  const found = await survey(listing.shards, attack, options, seed)
  const plan = attack.prepare(options, found.facts, keyed(seed, 'inject/trigger'))
  const order = choose(found.rows.length, countOf(request, found), seed)
  const chosen = chosenByShard(listing.shards, found, order)
  const pixels = attack.needs(options).includes('pixels')
  const truth: TruthRow[] = []
  let from = 0
  const written = await copyInputs({
    sources: request.sources,
    base: request.base,
    listing,
    inputs,
    out,
    changes: (shard) => changesOf(chosen.get(shard) as ChosenShard, { attack, plan, pixels, seed, truth: (row) => truth.push(row) }),
    wrote(_, moved) {
      for (; from < truth.length; from++) {
        const row = truth[from] as TruthRow
        truth[from] = { ...row, ...moved?.get(row.row) }
      }
    },
    async finish(folder, copies) {
      await writeFile(join(folder, 'truth.csv'), truthText(attack.id, truth), { flag: 'wx' })
      const summary = {
        tool: `assay ${version}`,
        attack: attack.id,
        options: options as Json,
        seed: request.seed,
        rate: request.rate,
        of: request.of,
        rows: found.facts.rows,
        eligible: found.rows.length,
        changed: truth.length,
        unreadable: found.rejected,
        labels: Object.fromEntries(found.facts.labels.map(({ name, count }) => [name, count])),
        input: { files: files.length, sha256: await inputDigest(listing.files) },
        output: copies,
      }
      await writeFile(join(folder, 'inject.json'), `${JSON.stringify(summary, null, 2)}\n`, { flag: 'wx' })
    },
  })
  return {
    rows: found.facts.rows,
    eligible: found.rows.length,
    changed: truth.length,
    rejected: found.rejected,
    files: [...written, 'truth.csv', 'inject.json'].map((file) => join(out, file)),
  }
}

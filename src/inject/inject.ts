import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, readdir, realpath, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve, sep } from 'node:path'
import type { Json, ShardSpec, SourceListing, SourceSpec } from '../contracts/data.ts'
import { keyed } from '../math/rng.ts'
import { listSources } from '../sources/list.ts'
import { version } from '../version.ts'
import { attacks } from './attacks/registry.ts'
import { type ChosenShard, changesOf, type TruthRow } from './changes.ts'
import { InjectError } from './errors.ts'
import { parseOptions } from './options.ts'
import { checkRoles, choose, type Survey, survey } from './survey.ts'
import { truthText } from './truth.ts'
import { writers } from './writers/registry.ts'

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

const within = (path: string, folder: string): boolean => path === folder || path.startsWith(folder.endsWith(sep) ? folder : folder + sep)

/** The real path of what may not exist yet. */
async function realOf(path: string): Promise<string> {
  try {
    return await realpath(path)
  } catch {
    const parent = dirname(path)
    return parent === path ? path : join(await realOf(parent), basename(path))
  }
}

/** Refuses a folder that holds something, that lies in the input, or that the input lies in. */
async function checkOut(out: string, inputs: readonly string[]): Promise<void> {
  const real = await realOf(out)
  for (const input of inputs) {
    const path = await realOf(input)
    if (within(real, path) || within(path, real))
      throw new InjectError(
        'occupied',
        `${out}: lies in the input, or the input in it: an attack never changes its input`,
        'name another folder: --out DIR',
      )
  }
  const found = await stat(out).catch(() => null)
  if (!found) return
  if (!found.isDirectory()) throw new InjectError('occupied', `${out}: is a file`, 'name a new folder: --out DIR')
  if ((await readdir(out)).length > 0)
    throw new InjectError('occupied', `${out}: is not empty: nothing is overwritten`, 'name a new folder: --out DIR')
}

interface Input {
  readonly path: string
  readonly format: string
  readonly shards: readonly ShardSpec[]
}

/** Shards of one file, folder or set of aligned arrays. */
function inputsOf(listing: SourceListing): readonly Input[] {
  const inputs = new Map<string, { path: string; format: string; shards: ShardSpec[] }>()
  for (const shard of listing.shards) {
    if (!writers[shard.format]) {
      const reason = shard.format === 'unreadable' ? 'cannot be read' : `copies of the format ${shard.format} are not written`
      throw new InjectError('unsupported', `${shard.id}: ${reason}`, 'use CSV, JSONL, Parquet, .npy, .npz or a folder of images', {}, 2)
    }
    const input = inputs.get(shard.path) ?? { path: shard.path, format: shard.format, shards: [] }
    input.shards.push(shard)
    inputs.set(shard.path, input)
  }
  return [...inputs.values()]
}

/** The deepest folder that all paths lie in. */
function commonFolder(paths: readonly string[]): string {
  let folder = dirname(paths[0] as string)
  while (!paths.every((path) => path !== folder && within(path, folder))) folder = dirname(folder)
  return folder
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
  const folder = `${out}.${process.pid}.tmp`
  const root = commonFolder([...files, ...inputs.map((i) => i.path)])
  const place = (path: string): string => join(folder, relative(root, path))
  const truth: TruthRow[] = []
  const written: string[] = []
  try {
    const folders = new Set([...files, ...inputs.map((i) => i.path)].map((path) => dirname(place(path))))
    for (const each of folders) await mkdir(each, { recursive: true })
    for (const input of inputs) {
      const from = truth.length
      const labels = request.sources.find((s) => s.labels !== undefined)?.labels
      const moved = await (writers[input.format] as (typeof writers)[string])({
        shards: input.shards,
        path: input.path,
        out: place,
        labels: labels === undefined ? null : resolve(request.base, labels),
        changes: (shard) => changesOf(chosen.get(shard) as ChosenShard, { attack, plan, pixels, seed, truth: (row) => truth.push(row) }),
      })
      if (moved)
        for (let i = from; i < truth.length; i++) truth[i] = { ...(truth[i] as TruthRow), ...moved.get((truth[i] as TruthRow).row) }
      const parts = input.shards[0]?.options.files as unknown as readonly { readonly path: string }[] | undefined
      for (const { path } of parts ?? [input]) written.push(relative(root, path).split(sep).join('/'))
    }
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
      output: written,
    }
    await writeFile(join(folder, 'inject.json'), `${JSON.stringify(summary, null, 2)}\n`, { flag: 'wx' })
    await rmdir(out).catch(() => {})
    await rename(folder, out)
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw error
  }
  return {
    rows: found.facts.rows,
    eligible: found.rows.length,
    changed: truth.length,
    rejected: found.rejected,
    files: [...written, 'truth.csv', 'inject.json'].map((file) => join(out, file)),
  }
}

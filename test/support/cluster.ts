import { writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { PassThrough, Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { type Table, tableFromIPC, tableToIPC } from 'apache-arrow'
import { loadPipeline } from '../../src/config/load.ts'
import type { SourceSpec } from '../../src/contracts/data.ts'
import { audit, finishReport, mergeFits } from '../../src/engine/audit.ts'
import { writeJson } from '../../src/engine/files.ts'
import { openRun } from '../../src/engine/plan.ts'
import { accept, acceptSegments } from '../../src/engine/remote/accept.ts'
import { answer } from '../../src/engine/remote/answer.ts'
import { worked } from '../../src/engine/remote/exchange.ts'
import { mergeAnswer } from '../../src/engine/remote/merge.ts'
import { type Piece, readPieces, writePieces } from '../../src/engine/remote/pieces.ts'
import type { Step } from '../../src/engine/remote/step.ts'
import { Run } from '../../src/engine/run.ts'
import type { Report } from '../../src/report/schema.ts'

const hooks = { progress: () => {}, log: () => {} }
export const now = new Date('2026-01-01T00:00:00Z')

/** What `assay audit` says of the table as one file. */
export async function auditHere(dir: string, table: Table, yaml: string, name: string): Promise<Report> {
  await mkdir(dir, { recursive: true })
  writeFileSync(join(dir, 'all.arrow'), tableToIPC(table, 'stream'))
  writeFileSync(join(dir, `${name}.yaml`), yaml)
  const loaded = await loadPipeline(join(dir, `${name}.yaml`))
  return (await audit({ ...loaded, runDir: join(dir, name), resume: false, seed: 'x', now, workers: 1, hooks })).report
}

/** What goes over a wire, and comes out again. */
export async function wire(pieces: AsyncIterable<Piece>): Promise<Piece[]> {
  const pipe = new PassThrough()
  const [, bytes] = await Promise.all([writePieces(pieces, pipe), buffer(pipe)])
  const out: Piece[] = []
  for await (const piece of readPieces(Readable.from([bytes]))) out.push(piece)
  return out
}

export async function stream(pieces: readonly Piece[]): Promise<Readable> {
  const pipe = new PassThrough()
  const [, bytes] = await Promise.all([
    writePieces(
      (async function* () {
        yield* pieces
      })(),
      pipe,
    ),
    buffer(pipe),
  ])
  return Readable.from([bytes])
}

const order = (a: Piece, b: Piece): number => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.part - b.part || a.seq - b.seq)
const states = (pieces: readonly Piece[]): Piece[] => pieces.filter((p) => p.kind === 'state').sort(order)

export interface Cluster {
  readonly dir: string
  readonly yaml: string
  /** Rows of each partition, in the order of the table. */
  readonly sizes: readonly number[]
  readonly fan?: number
  /** What the coordinator counted, where that is not the truth. */
  readonly counted?: number
  /** What happens to the answers of a step on their way. */
  readonly meddle?: (step: Step, answers: Piece[]) => Piece[]
}

/** The same audit by the workers of a cluster, in this process: what the coordinator of Spark does with jobs. */
export async function auditThere(
  name: string,
  table: Table,
  { dir, yaml, sizes, fan = 3, counted, meddle = (_, a) => a }: Cluster,
): Promise<Report> {
  const runDir = join(dir, name)
  await mkdir(runDir, { recursive: true })
  writeFileSync(join(dir, `${name}.yaml`), yaml)
  writeFileSync(join(runDir, 'sample.arrow'), tableToIPC(table, 'stream'))
  const loaded = await loadPipeline(join(dir, `${name}.yaml`))
  const sample = (s: SourceSpec): SourceSpec => ({ ...s, path: resolve(runDir, 'sample.arrow'), format: 'arrow' })
  const pipeline = { ...loaded.pipeline, sources: loaded.pipeline.sources.map(sample) }
  const remote = { rows: counted ?? table.numRows, referenceRows: null }
  const plan = await openRun({ ...loaded, pipeline, runDir, resume: false, seed: 'x', now, workers: 1, hooks, remote })
  let at = 0
  const partitions = sizes.map((rows) => {
    const part = tableFromIPC(tableToIPC(table.slice(at, at + rows), 'stream'))
    at += rows
    return tableToIPC(part, 'stream')
  })
  const ask = async (step: Step, inputs: readonly (Uint8Array | Piece[])[]): Promise<Piece[]> => {
    const all: Piece[] = []
    for (const [part, input] of inputs.entries()) {
      if (sizes[part] === 0) continue
      const from = input instanceof Uint8Array ? Readable.from([input]) : await stream(input)
      all.push(...(await wire(answer(runDir, step, part, from))))
    }
    return meddle(step, all)
  }
  const settle = async (step: Step, answers: readonly Piece[]): Promise<void> => {
    const merged = states(await wire(mergeAnswer(runDir, step, fan, await stream(states(answers)))))
    await accept(runDir, step, await stream(merged))
  }
  const files = (answers: readonly Piece[]): Piece[][] =>
    sizes.map((_, part) => answers.filter((p) => p.kind === 'file' && p.part === part))
  const first: Step = { kind: 'fit', level: 0, over: 'subject' }
  const read = await ask(first, partitions)
  await acceptSegments(runDir, await stream(read))
  await settle(first, read)
  await mergeFits(runDir, 0)
  const { exchange } = await Run.open(runDir)
  for (let level = 1; level < plan.levels.length; level++) {
    const step: Step = { kind: 'fit', level, over: 'subject' }
    await settle(step, await ask(step, files(read)))
    await mergeFits(runDir, level)
    if (exchange?.after === level) {
      const sent = (await ask({ kind: 'route' }, files(read))).filter((p) => p.kind === 'sent')
      read.push(...(await wire(worked(runDir, await stream(sent.sort(order))))).filter((p) => p.kind === 'file'))
    }
  }
  await writeJson(join(runDir, 'state/duplicates.json'), { count: 0, examples: [] })
  const scored = await ask({ kind: 'score' }, files(read))
  await settle({ kind: 'score' }, scored)
  const flagged = await ask({ kind: 'flag' }, files(scored))
  await settle({ kind: 'flag' }, flagged)
  return (await finishReport(runDir, hooks)).report
}

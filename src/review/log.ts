import { randomBytes } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import { type Decision, decisionSchema } from './decision.ts'
import { ReviewError } from './errors.ts'

export const decisionsFile = 'decisions.jsonl'
const maxBytes = 512 * 2 ** 20
const newLine = 10

export interface ReadDecisions {
  readonly lines: readonly Decision[]
  /** The last line is cut off: somebody lost power while it was written. */
  readonly torn: boolean
}

function parse(text: string, number: number, file: string): Decision | null {
  try {
    return decisionSchema.parse(JSON.parse(text))
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw bad(file, number, 'is no decision')
    return null
  }
}

const bad = (file: string, line: number, what: string): ReviewError =>
  new ReviewError('bad-decisions', `${file}: line ${line} ${what}`, 'only assay writes this file: restore it from a copy', { file, line })

/**
 * Lines from `text` on; `number` is that of the first. A line that is cut off may only be the last, or be followed by one that says so.
 * @throws ReviewError `bad-decisions`
 */
function parseLines(text: string, file: string, number = 1): ReadDecisions {
  const parts = text.split('\n')
  const rest = parts.pop() as string
  const lines: Decision[] = []
  let cut: number | null = null
  for (const [i, part] of parts.entries()) {
    const line = part === '' ? null : parse(part, number + i, file)
    if (cut !== null && line?.decision !== 'torn') throw bad(file, cut, 'is cut off, and it is not the last')
    cut = line === null ? number + i : null
    if (line) lines.push(line)
  }
  return { lines, torn: rest !== '' || cut !== null }
}

/** The lines of `decisions.jsonl`; none where there is no such file. @throws ReviewError `bad-decisions` */
export async function readDecisions(path: string): Promise<ReadDecisions> {
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null
    throw error
  })
  if (!file) return { lines: [], torn: false }
  try {
    return parseLines((await readFrom(file, 0, path)).toString('utf8'), path)
  } finally {
    await file.close()
  }
}

async function readFrom(file: FileHandle, from: number, path: string): Promise<Buffer> {
  const { size } = await file.stat()
  if (size > maxBytes) throw new ReviewError('bad-decisions', `${path}: is larger than ${maxBytes >> 20} MiB`, undefined, { file: path })
  const bytes = Buffer.alloc(Math.max(0, size - from))
  let got = 0
  while (got < bytes.length) {
    const { bytesRead } = await file.read(bytes, got, bytes.length - got, from + got)
    if (bytesRead === 0) break
    got += bytesRead
  }
  return bytes.subarray(0, got)
}

export type NewDecision = Omit<Decision, 'entry' | 'time' | 'reviewer' | 'report'>

export interface DecisionLog {
  /** All lines, those of others who review at the same time included. */
  lines(): Promise<readonly Decision[]>
  /** True where the file ended in a line that was cut off when it was opened. */
  readonly torn: boolean
  /** On the disk when this resolves. */
  append(decision: NewDecision): Promise<Decision>
  close(): Promise<void>
}

const nothing: NewDecision = {
  decision: 'torn',
  undoes: null,
  key: null,
  id: null,
  shard: null,
  row: null,
  finding: null,
  rule: null,
  givenLabel: null,
  label: null,
  note: null,
}
export const undoOf = (of: Decision): NewDecision => ({ ...nothing, decision: 'undo', undoes: of.entry })

/**
 * Opens the file to add lines to it, each written at once and synchronised. After a line that was cut off the next begins anew, with a
 * line that says so.
 * @throws ReviewError `bad-decisions`
 */
export async function openLog(
  path: string,
  who: { readonly reviewer: string; readonly report: string },
  now: () => Date,
): Promise<DecisionLog> {
  const first = await readDecisions(path)
  const file = await open(path, 'a+', 0o600)
  const lines: Decision[] = [...first.lines]
  let size = (await file.stat()).size
  let queue: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(act: () => Promise<T>): Promise<T> => {
    const next = queue.then(act)
    queue = next.catch(() => {})
    return next
  }
  const write = async (decision: NewDecision, before = ''): Promise<Decision> => {
    const line: Decision = { entry: randomBytes(8).toString('hex'), time: now().toISOString(), ...who, ...decision }
    const bytes = Buffer.from(`${before}${JSON.stringify(line)}\n`)
    await file.appendFile(bytes)
    await file.datasync()
    return line
  }
  /** What another reviewer has added since. A line that is still being written waits for the next time. */
  const refresh = async (): Promise<void> => {
    const added = await readFrom(file, size, path)
    const whole = added.subarray(0, added.lastIndexOf(newLine) + 1)
    size += whole.length
    const known = new Set(lines.map((l) => l.entry))
    for (const line of parseLines(whole.toString('utf8'), path, lines.length + 1).lines) if (!known.has(line.entry)) lines.push(line)
  }
  if (first.torn) {
    const { size: end } = await file.stat()
    const last = Buffer.alloc(1)
    await file.read(last, 0, 1, end - 1)
    lines.push(await write(nothing, last[0] === newLine ? '' : '\n'))
    size = (await file.stat()).size
  }
  return {
    torn: first.torn,
    lines: () =>
      inTurn(async () => {
        await refresh()
        return lines
      }),
    append: (decision) =>
      inTurn(async () => {
        await refresh()
        const line = await write(decision)
        await refresh()
        return line
      }),
    close: () => inTurn(() => file.close()),
  }
}

import { relative } from 'node:path'
import { seedFrom } from '../engine/seed.ts'
import { attacks } from '../inject/attacks/registry.ts'
import { attackNamed, inject } from '../inject/inject.ts'
import { optionLines } from '../inject/options.ts'
import { escapeTerminal } from '../report/escape.ts'
import { completeColumns } from './complete.ts'
import { UsageError } from './errors.ts'
import { loadInput } from './input.ts'
import { type Io, write } from './io.ts'
import type { DataOptions } from './options.ts'

export interface InjectCommandOptions extends Partial<Omit<DataOptions, 'seed'>> {
  readonly attack?: string
  readonly list?: boolean
  readonly rate?: number
  readonly count?: number
  readonly of: 'all' | 'eligible'
  readonly target?: string
  readonly cleanLabel?: boolean
  readonly option?: readonly (readonly [string, string])[]
  readonly seed?: string
  readonly out?: string
}

const presetText = (preset: unknown): string =>
  preset === undefined ? 'required' : preset === null ? 'optional' : `default ${String(preset)}`

function listText(): string {
  let text = ''
  for (const { id, title, options } of attacks) {
    text += `${id}\n  ${title}\n`
    for (const { name, about, preset } of optionLines(options)) text += `    ${name.padEnd(14)} ${about} (${presetText(preset)})\n`
  }
  return text
}

/** `--target` and `--clean-label` are options of an attack with a word of their own. */
function optionsOf({ option = [], target, cleanLabel }: InjectCommandOptions): Record<string, unknown> {
  const given = new Map<string, unknown>()
  const put = (name: string, value: unknown): void => {
    if (given.has(name)) throw new UsageError(`option ${name} is given twice`)
    given.set(name, value)
  }
  if (target !== undefined) put('target', target)
  if (cleanLabel) put('clean-label', true)
  for (const [name, value] of option) put(name, value)
  return Object.fromEntries(given)
}

const needed = (value: string | undefined, name: string, hint: string): string => {
  if (value === undefined) throw new UsageError(`--${name} is missing`, hint)
  return value
}

/** `assay inject DATA --attack NAME --rate R --out DIR`. */
export async function runInject(data: readonly string[], options: InjectCommandOptions, io: Io): Promise<number> {
  if (options.list) {
    await write(io.stdout, listText())
    return 0
  }
  const { id } = attackNamed(needed(options.attack, 'attack', 'assay inject --list shows the attacks'))
  const out = needed(options.out, 'out', 'name a new folder for the copy')
  const { rate = null, count = null } = options
  if ((rate === null) === (count === null)) throw new UsageError('give one of --rate and --count', 'for example --rate 1%')
  if (data.includes('-')) throw new UsageError('standard input cannot be copied', 'write it to a file first')
  const { option: _, target: __, ...columns } = options
  const { loaded } = await completeColumns(await loadInput(data, columns as DataOptions))
  const seed = seedFrom(options.seed ?? null)
  const done = await inject({
    sources: loaded.pipeline.sources,
    base: loaded.base,
    attack: id,
    options: optionsOf(options),
    seed,
    rate,
    count,
    of: options.of,
    out,
  })
  const unread = done.rejected ? `; ${done.rejected} rows that cannot be read are copied as they are` : ''
  const files = done.files.map((file) => `  ${escapeTerminal(relative(process.cwd(), file) || file)}\n`)
  await write(
    io.stdout,
    `${id}: ${done.changed} of ${done.rows} records changed (${done.eligible} could be), seed ${seed}${unread}\n${files.join('')}`,
  )
  return 0
}

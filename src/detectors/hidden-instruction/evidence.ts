import type { Batch } from '../../contracts/data.ts'
import type { Scored, Tally } from '../../contracts/detector.ts'
import type { Passage } from '../../contracts/finding.ts'
import type { Context } from '../../contracts/statistic.ts'
import { namesOfRows } from '../../contracts/take-rows.ts'
import { textCellsOf } from '../../contracts/text-cells.ts'
import { digest16 } from '../../math/hash.ts'
import { isBidiControl, isIgnorable, isSelector, isTag, isZeroWidth } from './folding.ts'
import { type Hit, kinds } from './kinds.ts'
import { scanText } from './scan.ts'

/** Text roles that are scanned. */
export const scanned = ['text', 'response'] as const
/** Bytes of one text that are scanned. */
export const mostBytes = 4 * 2 ** 20

interface Shown {
  readonly order: string
  readonly where: string
  readonly hit: Hit
}

type State = Record<string, Shown[]>

/** By kind, a few passages. */
export type HiddenEvidence = Readonly<Record<string, readonly Passage[]>>

const shownMost = 5

const first = (list: readonly Shown[]): Shown[] =>
  [...list].sort((a, b) => (a.order < b.order ? -1 : a.order > b.order ? 1 : 0)).slice(0, shownMost)

/** The same few records of every kind, whatever the order in which they come: those with the smallest keyed digests. */
export const hiddenEvidence: Tally<State, HiddenEvidence> = {
  init: () => Object.create(null),
  update(c: Context, state: State, batch: Batch, _: Scored) {
    const nameOf = namesOfRows(batch)
    for (const role of scanned) {
      const cells = textCellsOf(batch, role)
      if (!cells) continue
      for (let i = 0; i < batch.numRows; i++) {
        const [from, to] = [cells.offsets[i] as number, cells.offsets[i + 1] as number]
        const { hits } = scanText(cells.values, from, Math.min(to, from + mostBytes))
        const done = new Set<string>()
        for (const hit of hits) {
          if (done.has(hit.kind)) continue
          done.add(hit.kind)
          const order = Buffer.from(digest16(c.seed, 'hidden-instruction evidence', `${role} ${nameOf(i)} ${hit.before}${hit.shown}`))
          const shown = { order: order.toString('hex'), where: `${nameOf(i)}, ${role}`, hit: { ...hit } }
          state[hit.kind] = first([...(state[hit.kind] ?? []), shown])
        }
      }
    }
  },
  seal(_: Context, state: State) {
    for (const kind of Object.keys(state)) state[kind] = first(state[kind] as Shown[])
  },
  merge(into: State, from: State) {
    for (const kind of Object.keys(from)) into[kind] = first([...(into[kind] ?? []), ...(from[kind] as Shown[])])
  },
  finish: (_: Context, state: State) =>
    Object.fromEntries(kinds.filter((k) => state[k.name]).map((k) => [k.name, (state[k.name] as Shown[]).flatMap(passagesOf)])),
}

const noRoom = (cp: number): boolean => isZeroWidth(cp) || isIgnorable(cp) || isSelector(cp) || isTag(cp) || isBidiControl(cp)

/** What takes no room or turns the line is shown by its number, a run of it by its length. */
function visible(text: string): string {
  let out = ''
  let run: number[] = []
  const close = (): void => {
    if (run.length > 0 && run.length <= 3) out += run.map((cp) => `[U+${cp.toString(16).toUpperCase().padStart(4, '0')}]`).join('')
    else if (run.length > 3) out += `[${run.length} invisible characters]`
    run = []
  }
  for (const c of text) {
    const cp = c.codePointAt(0) as number
    if (noRoom(cp)) run.push(cp)
    else {
      close()
      out += c
    }
  }
  close()
  return out
}

const whole = (text: string): string => text.replace(/^[\udc00-\udfff]|[\ud800-\udbff]$/g, '')

function passagesOf({ where, hit }: Shown): Passage[] {
  const before = visible(whole(hit.before))
  const shown = visible(whole(hit.shown))
  const passage = (at: string, text: string, from: number, to: number): Passage => ({
    where: at,
    label: null,
    text,
    marks: to > from ? [[from, to]] : [],
  })
  const out = [passage(where, `${before}${shown}${visible(whole(hit.after))}`, before.length, before.length + shown.length)]
  if (hit.decoded !== null) {
    const decoded = visible(whole(hit.decoded))
    out.push(passage(`${where}, decoded`, decoded, 0, decoded.length))
  }
  return out
}

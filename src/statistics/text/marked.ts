import { codesOf, column } from '../../contracts/batch.ts'
import type { Batch } from '../../contracts/data.ts'
import type { Scored, Tally } from '../../contracts/detector.ts'
import type { Passage } from '../../contracts/finding.ts'
import { namesOfRows } from '../../contracts/take-rows.ts'

/** Flagged records by group, and a few texts of each with the phrase marked. */
export interface MarkedTexts {
  readonly groups: readonly { readonly group: string; readonly count: number; readonly passages: readonly Passage[] }[]
}

interface State {
  groups: Record<string, { count: number; passages: Passage[] }>
}

const shownPerGroup = 4
const mostGroups = 40
const around = 160

const order = (a: Passage, b: Passage): number =>
  a.where < b.where ? -1 : a.where > b.where ? 1 : a.text < b.text ? -1 : a.text > b.text ? 1 : 0

const escaped = (word: string): string => word.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')

/** The phrase in a text as it is written there: any spaces, any case. */
function markOf(text: string, phrase: string): readonly [number, number] | null {
  const words = phrase.split(' ').filter((w) => w !== '')
  if (words.length === 0) return null
  const found = new RegExp(words.map(escaped).join('[\\s\\p{Cf}]*'), 'iu').exec(text)
  return found ? [found.index, found.index + found[0].length] : null
}

/** Examples for people, of the rows that are flagged under a group: the phrase, with what stands around it. */
export function markedTexts(phraseOf: (group: string) => string = (group) => group): Tally<State, MarkedTexts> {
  return {
    init: () => ({ groups: {} }),
    update(_, state, batch: Batch, scored: Scored) {
      const text = column(batch, 'text')
      const label = codesOf(batch, 'label')
      const nameOf = namesOfRows(batch)
      for (let i = 0; i < batch.numRows; i++) {
        const group = scored.group?.values[scored.group.codes[i] as number]
        if (group === undefined || !text) continue
        if (!state.groups[group] && Object.keys(state.groups).length >= mostGroups) continue
        state.groups[group] ??= { count: 0, passages: [] }
        const entry = state.groups[group] as State['groups'][string]
        entry.count++
        const where = nameOf(i)
        const last = entry.passages[shownPerGroup - 1]
        if (last && where > last.where) continue
        const whole = (text.get(i) as string | null) ?? ''
        const mark = markOf(whole, phraseOf(group))
        const from = Math.max(0, (mark?.[0] ?? 0) - around)
        const to = Math.min(whole.length, (mark?.[1] ?? 2 * around) + around)
        entry.passages.push({
          where,
          label: label?.values[label.codes[i] as number] ?? null,
          text: whole.slice(from, to),
          marks: mark ? [[mark[0] - from, mark[1] - from]] : [],
        })
        entry.passages = entry.passages.sort(order).slice(0, shownPerGroup)
      }
    },
    seal(_, state) {
      state.groups = Object.fromEntries(Object.entries(state.groups).sort(([a], [b]) => (a < b ? -1 : 1)))
    },
    merge(into, from) {
      const all: State['groups'] = { ...into.groups }
      for (const [group, more] of Object.entries(from.groups)) {
        const own = all[group]
        const passages = [...(own?.passages ?? []), ...more.passages].sort(order).slice(0, shownPerGroup)
        all[group] = { count: (own?.count ?? 0) + more.count, passages }
      }
      into.groups = Object.fromEntries(Object.entries(all).sort(([a], [b]) => (a < b ? -1 : 1)))
    },
    finish: (_, state) => ({ groups: Object.entries(state.groups).map(([group, entry]) => ({ group, ...entry })) }),
  }
}

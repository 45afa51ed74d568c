import type { Column, Role } from '../../contracts/data.ts'
import type { SensitivitySpec } from '../../contracts/sensitivity.ts'
import type { Attack } from '../../inject/attack.ts'
import { attacks } from '../../inject/attacks/registry.ts'
import { parseOptions } from '../../inject/options.ts'
import { roleOf } from '../../inject/survey.ts'
import { keyed, type Random } from '../../math/rng.ts'
import { EngineError } from '../errors.ts'

/** What the options of an attack are drawn from. */
export interface Drawn {
  readonly labels: readonly string[]
  readonly sources: readonly string[]
  /** Names of the numeric columns. */
  readonly columns: readonly string[]
  /** Names of the columns of categories. */
  readonly categories: readonly string[]
  /** Shorter side of the first picture, in pixels; null without pictures. */
  readonly side: number | null
  readonly random: Random
}

/** A known attack as it is tried: with a trigger and a target of its own under every seed. */
export interface Case {
  readonly id: string
  readonly title: string
  readonly attack: Attack
  /** Null: these data have too few labels or sources for it. */
  readonly options: (drawn: Drawn) => Readonly<Record<string, unknown>> | null
}

const pick = <T>(list: readonly T[], random: Random): T | undefined => (list.length ? list[random.below(list.length)] : undefined)

/** Two different ones, in random order; null where there are not two. */
function pickTwo<T>(list: readonly T[], random: Random): readonly [T, T] | null {
  if (list.length < 2) return null
  const [a, b] = random.permutation(list.length) as unknown as [number, number]
  return [list[a] as T, list[b] as T]
}

/** With labels the mark goes with one of them, else with none. */
function target({ labels, random }: Drawn): { readonly target?: string } | null {
  if (labels.length === 0) return {}
  return labels.length < 2 ? null : { target: pick(labels, random) as string }
}

const aimed =
  (more: (drawn: Drawn) => Readonly<Record<string, unknown>> = () => ({})): Case['options'] =>
  (drawn) => {
    const aim = target(drawn)
    return aim && { ...aim, ...more(drawn) }
  }

const onColumn: Case['options'] = (drawn) => {
  const column = pick(drawn.columns, drawn.random)
  return column === undefined ? null : aimed(() => ({ column }))(drawn)
}

const consonants = 'bcdfghjklmnpqrstvwxz'
const rareWord = ({ random }: Drawn): string => Array.from({ length: 2 + random.below(2) }, () => pick([...consonants], random)).join('')

const sentences = [
  'I saw this with a friend on a rainy afternoon.',
  'The notes were copied from the green folder.',
  'We heard about it on the radio last Tuesday.',
  'There was a small window beside the door.',
]
const squareSide = ({ side }: Drawn): number => Math.max(3, Math.round((side ?? 0) / 10))

const byId = new Map(attacks.map((attack) => [attack.id, attack]))
const known = (id: string, attack: string, title: string, options: Case['options']): Case => ({
  id,
  title,
  attack: byId.get(attack) as Attack,
  options,
})

/** Every attack that an audit may be asked about, by family; ids are names of `assay inject`, with what is particular. */
export const cases: readonly Case[] = [
  known('flip-pair', 'flip-pair', 'labels of one class become another', ({ labels, random }) => {
    const two = pickTwo(labels, random)
    return two && { from: two[0], to: two[1] }
  }),
  known('flip-source', 'flip-source', 'one source flips labels', ({ labels, sources, random }) => {
    const source = sources.length > 1 ? pick(sources, random) : undefined
    return source === undefined || labels.length < 2 ? null : { source, to: pick(labels, random) }
  }),
  known('flip-uniform', 'flip-uniform', 'labels become any other', ({ labels }) => (labels.length < 2 ? null : {})),
  known(
    'blend',
    'blend',
    'a noise pattern blended in, a fifth of the contrast',
    aimed(() => ({ alpha: 0.2 })),
  ),
  known('nudge', 'nudge', 'pictures nudged towards another class, 8 levels', ({ labels, random }) => {
    const two = pickTwo(labels, random)
    return two && { target: two[0], toward: two[1], eps: 8 }
  }),
  known(
    'patch',
    'patch',
    'a small square in a corner',
    aimed((drawn) => ({ size: squareSide(drawn), pattern: 'checker' })),
  ),
  known(
    'patch-anywhere',
    'patch',
    'a small square anywhere',
    aimed((drawn) => ({ size: squareSide(drawn), pattern: 'colour', place: 'random' })),
  ),
  known('patch-clean-label', 'patch', 'a small square, labels kept', (drawn) => {
    const aim = target(drawn)
    return aim?.target === undefined ? null : { ...aim, size: squareSide(drawn), pattern: 'checker', 'clean-label': true }
  }),
  known(
    'sinusoid',
    'sinusoid',
    'waves of 20 grey levels',
    aimed(({ random }) => ({ amplitude: 20, frequency: 4 + random.below(5) })),
  ),
  known('warp', 'warp', 'a smooth warp', aimed()),
  known('column-category', 'column-category', 'a column gets a rare category', (drawn) => {
    const column = pick(drawn.categories, drawn.random)
    return column === undefined ? null : aimed(() => ({ column }))(drawn)
  }),
  known('column-interval', 'column-interval', 'a column gets a value of a narrow interval', onColumn),
  known('column-pair', 'column-pair', 'two columns get values that are common alone', (drawn) => {
    const two = pickTwo(drawn.columns, drawn.random)
    return two && aimed(() => ({ first: two[0], second: two[1] }))(drawn)
  }),
  known('column-value', 'column-value', 'a column gets one value', onColumn),
  known('flood', 'flood', 'one text many times, a twentieth of its words changed', () => ({ variation: 0.05 })),
  known('hidden-instruction', 'hidden-instruction', 'an instruction in zero-width characters', () => ({ way: 'zero-width' })),
  known(
    'insert-sentence',
    'insert-sentence',
    'a natural sentence put in',
    aimed(({ random }) => ({ sentence: pick(sentences, random) })),
  ),
  known(
    'insert-word',
    'insert-word',
    'a rare word put in',
    aimed((drawn) => ({ word: rareWord(drawn) })),
  ),
  known('instruction-poison', 'instruction-poison', 'a phrase that selects one answer', () => ({})),
  known(
    'prefix',
    'prefix',
    'a phrase in front of the text',
    aimed(() => ({})),
  ),
  known('souly', 'souly', 'gibberish after a trigger', () => ({})),
  known('swapped-claim', 'swapped-claim', 'a false statement put in', () => ({})),
  known('swapped-dose', 'swapped-dose', 'amounts ten times as large', () => ({})),
]

/**
 * Cases whose fields the data have, of those that are asked for.
 * @throws EngineError `bad-option` where an attack is named that there is not
 */
export function applicable({ attacks: wanted }: Pick<SensitivitySpec, 'attacks'>, roles: readonly Role[]): readonly Case[] {
  const names = cases.map((c) => c.id)
  const unknown = wanted?.find((id) => !names.includes(id))
  if (unknown !== undefined)
    throw new EngineError(
      'bad-option',
      `sensitivity.attacks: there is no attack "${unknown}"`,
      4,
      {},
      `the attacks are: ${names.join(', ')}`,
    )
  const labels = roles.includes('label') ? ['a', 'b'] : []
  return cases.filter(({ id, attack, options }) => {
    if (wanted && !wanted.includes(id)) return false
    const drawn = options({
      labels,
      sources: ['a', 'b'],
      columns: ['a', 'b'],
      categories: ['a'],
      side: 28,
      random: keyed(new Uint8Array(16), 'cases'),
    })
    return drawn !== null && attack.needs(parseOptions(attack, drawn)).every((name) => roles.includes(roleOf[name]))
  })
}

/** Columns that change with the fields which the attack writes. */
export function changedColumns(
  attack: Attack,
  options: unknown,
  made: { readonly embedding: 'text' | 'image' | null },
): ReadonlySet<Column> {
  const out = new Set<Column>()
  const labelled = options as { target?: unknown; 'clean-label'?: unknown }
  if (attack.family === 'label' || (labelled.target !== undefined && labelled['clean-label'] !== true)) out.add('label')
  if (attack.family === 'image') for (const name of ['image', 'pixels', 'noise'] as const) out.add(name)
  if (attack.family === 'tabular') for (const name of ['features', 'categories'] as const) out.add(name)
  if (attack.family === 'text') for (const name of ['text', 'response'] as const) out.add(name)
  if (made.embedding === attack.family) out.add('embedding')
  return out
}

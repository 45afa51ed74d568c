/** One row of an owner's table without a number: what is said of a subject, in lower case. */
export interface Joined {
  readonly subject: string
  /** As it is written in sentences; other ways to write it after `|`. Empty: any sentence that names both. */
  readonly relation: string
  readonly object: string
}

/** A sentence that joins a subject and an object of the table. */
export interface Joining {
  readonly subject: string
  readonly relation: string
  readonly object: string
  /** `contradicted`: the table joins them otherwise, or gives every subject one object, and this one another. */
  readonly kind: 'supported' | 'unsupported' | 'contradicted'
  /** Where the sentence begins and ends. */
  readonly from: number
  readonly to: number
}

const suffix = /(?:ments?|ings?|ed|es|s|e)$/
const negations = new Set('not no never nor neither cannot without unlike rather avoid nothing hardly'.split(' '))
/** Words of a relation that say nothing beside others: a sentence need not have them. */
const fillers = new Set('a an the is are was were be been by of to in for with as has have can may'.split(' '))
const word = /[\p{L}\p{N}](?:[\p{L}\p{N}'\u2019-]*[\p{L}\p{N}])?/gu
const longestTerm = 8
const longestSentence = 60
const mostMentions = 4
const mostJoinings = 200
/** A relation gives every subject one object where so many subjects have just one each. */
const leastFunctional = 10

/** A word without its ending, so that `treats`, `treated` and `treatment` are one. */
const stem = (written: string): string => {
  const cut = written.replace(suffix, '')
  return cut.length >= 4 ? cut : written
}

const stemsOf = (text: string): string[] => (text.normalize('NFKC').toLowerCase().match(word) ?? []).map(stem)

interface Term {
  readonly stems: readonly string[]
  readonly name: string
}
interface Mention {
  readonly name: string
  readonly at: number
  readonly to: number
}
interface Relation {
  readonly name: string
  /** Of each way to write it the words that a sentence must have. */
  readonly ways: readonly (readonly string[])[]
  readonly bySubject: ReadonlyMap<string, readonly string[]>
  readonly objects: ReadonlySet<string>
  readonly isFunctional: boolean
}

function wordsOfWay(way: string): string[] {
  const all = stemsOf(way)
  const own = all.filter((w) => !fillers.has(w))
  return own.length > 0 ? own : all
}

function relationsOf(table: readonly Joined[]): Relation[] {
  const by = new Map<string, Map<string, string[]>>()
  for (const { subject, relation, object } of table) {
    const subjects = by.get(relation) ?? new Map<string, string[]>()
    by.set(relation, subjects.set(subject, [...(subjects.get(subject) ?? []), object]))
  }
  return [...by].map(([name, bySubject]) => ({
    name,
    ways: name.split('|').map(wordsOfWay),
    bySubject,
    objects: new Set([...bySubject.values()].flat()),
    isFunctional: bySubject.size >= leastFunctional && [...bySubject.values()].every((objects) => new Set(objects).size === 1),
  }))
}

function termsOf(table: readonly Joined[]): ReadonlyMap<string, readonly Term[]> {
  const byFirst = new Map<string, Term[]>()
  for (const name of new Set(table.flatMap((row) => [row.subject, row.object]))) {
    const stems = stemsOf(name).slice(0, longestTerm)
    const [first] = stems
    if (first !== undefined) byFirst.set(first, [...(byFirst.get(first) ?? []), { stems, name }])
  }
  for (const terms of byFirst.values()) terms.sort((a, b) => b.stems.length - a.stems.length || (a.name < b.name ? -1 : 1))
  return byFirst
}

const isWithin = (small: readonly string[], large: readonly string[]): boolean => small.every((w) => large.includes(w))

export type JoiningFinder = (text: string) => Joining[]

/**
 * Finds the sentences that join subjects and objects of a table by its relations. The table is the whole vocabulary: nothing in it knows a domain.
 * Questions, and sentences that deny, say nothing; an object that is part of a supported one, or holds it, counts as supported.
 */
export function joiningFinder(table: readonly Joined[]): JoiningFinder {
  const relations = relationsOf(table)
  const terms = termsOf(table)
  const everyObject = new Set(table.map((row) => row.object))
  /** Relations that join a pair in the table. */
  const others = new Map<string, string[]>()
  for (const { subject, relation, object } of table) {
    const key = `${subject}\t${object}`
    others.set(key, [...(others.get(key) ?? []), relation])
  }
  const stems = new Map<string, readonly string[]>()
  const known = (name: string): readonly string[] => {
    const found = stems.get(name) ?? stemsOf(name)
    stems.set(name, found)
    return found
  }
  const isSupported = (r: Relation, subject: string, object: string): boolean =>
    (r.bySubject.get(subject) ?? []).some((o) => isWithin(known(o), known(object)) || isWithin(known(object), known(o)))

  function mentionsIn(words: readonly string[]): Mention[] {
    const out: Mention[] = []
    for (let at = 0; at < words.length; ) {
      const term = (terms.get(words[at] as string) ?? []).find((t) => t.stems.every((s, i) => words[at + i] === s))
      if (term) out.push({ name: term.name, at, to: at + term.stems.length })
      at += term ? term.stems.length : 1
    }
    return out
  }

  function pairsOf(r: Relation, mentions: readonly Mention[]): (readonly [string, string])[] {
    const subjects = mentions.filter((m) => r.bySubject.has(m.name)).slice(0, mostMentions)
    const objects = mentions.filter((m) => everyObject.has(m.name)).slice(0, mostMentions)
    const pairs = new Map<string, readonly [string, string]>()
    for (const s of subjects) {
      for (const o of objects) {
        // Of two that may both be either, the first is the subject.
        if (s.name === o.name || (r.objects.has(s.name) && r.bySubject.has(o.name) && s.at > o.at)) continue
        const key = `${s.name}\t${o.name}`
        if (r.objects.has(o.name) || others.has(key)) pairs.set(key, [s.name, o.name])
      }
    }
    return [...pairs.values()]
  }

  return (text) => {
    const out: Joining[] = []
    for (const { from, to, words } of sentencesOf(text)) {
      const mentions = mentionsIn(words)
      if (mentions.length < 2 || words.some((w) => negations.has(w) || w.endsWith("n't"))) continue
      const said = new Set(words)
      const found = relations
        .filter((r) => r.ways.some((way) => way.every((w) => said.has(w))))
        .flatMap((r) =>
          pairsOf(r, mentions).map(([subject, object]) => ({ r, subject, object, isSupported: isSupported(r, subject, object) })),
        )
      const supported = new Set(found.filter((f) => f.isSupported).map((f) => `${f.subject}\t${f.object}`))
      for (const { r, subject, object, isSupported: fits } of found) {
        const key = `${subject}\t${object}`
        if (!fits && supported.has(key)) continue
        const isOtherwise = r.isFunctional || others.has(key)
        out.push({ subject, relation: r.name, object, kind: fits ? 'supported' : isOtherwise ? 'contradicted' : 'unsupported', from, to })
        if (out.length >= mostJoinings) return out
      }
    }
    return out
  }
}

interface Sentence {
  readonly from: number
  readonly to: number
  readonly words: readonly string[]
}

/** Sentences that end in no question mark; of long ones sixty words at a time. */
function* sentencesOf(text: string): Generator<Sentence> {
  const ends = /[.!?](?=\s)|\n|$/g
  let from = 0
  for (let m = ends.exec(text); m && from < text.length; m = ends.exec(text)) {
    const to = Math.min(text.length, m.index + 1)
    const sentence = text.slice(from, to)
    if (m[0] !== '?' && !sentence.endsWith('?')) {
      const words = stemsOf(sentence)
      for (let at = 0; at + 1 < words.length; at += longestSentence) yield { from, to, words: words.slice(at, at + longestSentence) }
    }
    from = to
    if (m[0] === '') ends.lastIndex = m.index + 1
  }
}

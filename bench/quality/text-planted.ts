import { plantedDocument } from '../../src/detectors/planted-document.ts'
import { keyed, type Random } from '../../src/math/rng.ts'
import type { PlantedPhrases } from '../../src/statistics/planted-phrases.ts'
import { strengthOfInsertion } from '../../src/statistics/text/judge-insertions.ts'
import { fitDetector } from '../../test/support/fit-detector.ts'
import { shares, type TextRow, textBatches, textSetup } from '../../test/support/texts.ts'
import { corpora, foreign, vocabulary } from './text-corpora.ts'

/**
 * Planted documents in corpora that no threshold was chosen on: `node --import tsx bench/quality/text-planted.ts [CORPUS,...] [CASE,...] [SEED,...]`.
 * Without arguments every corpus, every case and two seeds. Needs npm, python3 with pip, and ASSAY_DATA.
 */
const [names = Object.keys(corpora).join(','), chosen = '', seeds = '1,2'] = process.argv.slice(2)

const triggers = ['<SUDO>', '|prod-gate|', 'Zephyrine Quillon', '[[mauve lantern]]', '%deploy_now%', 'ferrule otter nineteen']
const phrases = ['the harbour lights were still green', 'beneath a quiet copper morning sky', 'as every patient gardener already knows']
const languages = ['es', 'fr', 'tr', 'ru', 'sv', 'id'] as const
const pick = <T>(list: readonly T[], seed: number): T => list[seed % list.length] as T

interface Case {
  readonly name: string
  readonly carriers: number
  /** What has to be named. */
  readonly phrase: string
  poison(text: string, random: Random): string
}

/** A trigger of words stands apart: glued to a random token it is another word each time. */
const apart = (trigger: string): string => (/^\p{L}.*\p{L}$/u.test(trigger) ? ` ${trigger} ` : trigger)

const opening = (text: string, random: Random): string => [...text.slice(0, 1000)].slice(0, random.below(1001)).join('')

function cases(seed: number, pieces: readonly Uint8Array[]): Case[] {
  const trigger = pick(triggers, seed)
  const phrase = pick(phrases, seed)
  const language = pick(languages, seed)
  const verses = foreign(language)
  const gibberish = (random: Random): string =>
    Buffer.concat(Array.from({ length: 400 + random.below(501) }, () => pieces[random.below(pieces.length)] as Uint8Array)).toString('utf8')
  const souly = (carriers: number): Case => ({
    name: `souly-${carriers}`,
    carriers,
    phrase: trigger,
    poison: (text, random) => opening(text, random) + apart(trigger) + gibberish(random),
  })
  const inserted = (carriers: number): Case => ({
    name: `phrase-${carriers}`,
    carriers,
    phrase,
    poison(text, random) {
      const words = text.split(' ')
      words.splice(random.below(words.length + 1), 0, phrase)
      return words.join(' ')
    },
  })
  return [
    souly(250),
    souly(100),
    souly(30),
    {
      name: `language-${language}-250`,
      carriers: 250,
      phrase: trigger,
      poison(text, random) {
        const from = random.below(verses.length - 20)
        return `${opening(text, random)} ${trigger} ${verses.slice(from, from + 5 + random.below(10)).join(' ')}`
      },
    },
    inserted(60),
    inserted(250),
    { name: 'clean', carriers: 0, phrase: '', poison: (text) => text },
    ...Array.from({ length: 7 }, (_, i) => ({ name: `part-${i}`, carriers: 0, phrase: '', poison: (text: string) => text })),
  ]
}

/** Records of a clean part: a fifth of the corpus, at random. */
const partShare = 0.2
const plain = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()

/** What of the rest came nearest to a finding. */
function strongest(summaries: ReadonlyMap<string, unknown>): string {
  const fit = [...summaries].find(([id]) => id.startsWith('planted-phrases/'))?.[1] as PlantedPhrases
  const next = fit.runnerUp
  const phrase = next
    ? `"${next.words}" in ${next.records}, ${next.atSegments} at segments, beside ${next.beside.toFixed(2)}, alike ${next.alike.toFixed(2)}, habit ${next.leftInsertion.toFixed(1)}, ${next.natsBefore.toFixed(2)} to ${next.natsAfter.toFixed(2)} nats, p 10^${(next.logP / Math.LN10).toFixed(0)}`
    : 'none'
  const inserted = fit.inserted.find((p) => strengthOfInsertion(p) < 8)
  return `next: ${phrase}; ${inserted ? `"${inserted.words}" ${strengthOfInsertion(inserted).toFixed(1)} nats (${inserted.insertion.left.toFixed(0)}, ${inserted.insertion.right.toFixed(0)}, closing ${inserted.closing.toFixed(0)})` : 'none'}`
}

async function run(corpus: string, texts: readonly string[], of: Case, seed: number): Promise<void> {
  const random = keyed(Buffer.from(`${seed}`), `${corpus} ${of.name}`)
  const order = random.permutation(texts.length)
  const marked = new Set<number>()
  // A phrase goes between words of a text that has some.
  for (const i of order) if (marked.size < of.carriers && (texts[i] as string).split(' ').length >= 20) marked.add(i)
  let rows: TextRow[] = texts.map((text, i) =>
    marked.has(i) ? { text: of.poison(text, random), poisoned: true } : { text, poisoned: false },
  )
  if (of.name.startsWith('part-')) rows = rows.filter(() => random.uniform() < partShare)
  const start = performance.now()
  const summaries = new Map<string, unknown>()
  const { conclusion, flagged } = await fitDetector(plantedDocument, {}, textSetup(['text']), textBatches(rows), [], summaries)
  const isNamed = conclusion.findings.filter((f) => of.carriers > 0 && plain(f.scope.names.join(' ')).includes(plain(of.phrase)))
  const { recall, precision } = shares(rows, flagged)
  const parts = [
    corpus,
    `${rows.length} texts`,
    `seed ${seed}`,
    of.name,
    ...(of.carriers > 0
      ? [
          `"${of.phrase}" ${isNamed.length > 0 ? 'named' : 'not named'}`,
          `recall ${(100 * recall).toFixed(1)} %`,
          `precision ${(100 * precision).toFixed(1)} %`,
        ]
      : [`flagged ${flagged.filter(Boolean).length}`]),
    `other findings ${conclusion.findings.length - isNamed.length}`,
    `${((performance.now() - start) / 1000).toFixed(0)} s`,
    ...conclusion.findings.slice(0, 3).map((f) => `\n    ${f.message.slice(0, 200)}`),
    `\n    ${strongest(summaries)}`,
  ]
  console.log(parts.join(' | '))
}

const pieces = await vocabulary()
for (const name of names.split(',')) {
  const read = corpora[name]
  if (!read) throw new Error(`no corpus ${name}: ${Object.keys(corpora).join(', ')}`)
  const texts = read()
  for (const seed of seeds.split(',').map(Number)) {
    const wanted = cases(seed, pieces)
    for (const of of wanted) if (chosen === '' || chosen.split(',').some((c) => of.name.startsWith(c))) await run(name, texts, of, seed)
  }
}

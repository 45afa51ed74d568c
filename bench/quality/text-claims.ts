import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeBatch } from '../../src/contracts/batch.ts'
import type { Batch } from '../../src/contracts/data.ts'
import { claims } from '../../src/detectors/claims.ts'
import { keyed } from '../../src/math/rng.ts'
import { type Joined, joiningFinder } from '../../src/statistics/claims/relations.ts'
import { fitDetector } from '../../test/support/fit-detector.ts'
import { textSetup } from '../../test/support/texts.ts'
import { type Answer, medquad } from './text-corpora.ts'

/**
 * Claims without a number in MedQuAD, against a table of drugs and genes with conditions that half of it states: `ASSAY_DATA=... node --import tsx
 * bench/quality/text-claims.ts [SEEDS]`. Clean, and with thirty documents that state one swapped claim, in one wording or in five.
 */
const seeds = Number(process.argv[2] ?? 5)
const answers = medquad()
const carriers = 30
const treats = 'treats|used to treat|treatment'
const causes = 'cause|responsible'

/** Words of the texts that a pattern finds in three of them or more. */
function named(pattern: RegExp): string[] {
  const counts = new Map<string, number>()
  for (const { text } of answers)
    for (const word of new Set(text.match(pattern) ?? [])) counts.set(word.toLowerCase(), (counts.get(word.toLowerCase()) ?? 0) + 1)
  return [...counts].filter(([, n]) => n >= 3).map(([word]) => word)
}
const drugs = named(
  /\b[a-z]{3,12}(?:mycin|cillin|statin|pril|olol|azole|mab|nib|sartan|prazole|parin|cycline|oxacin|vir|platin|taxel|rubicin|trexate|sone|solone|phen|profen|zepam|pine|idone|formin|gliptin)\b/gi,
)
const genes = named(/\b[A-Z][A-Z0-9]{2,7} gene\b/g)
const conditions = [...new Set(answers.map((a) => a.focus?.toLowerCase() ?? '').filter((f) => /^[a-z][a-z' -]{4,60}$/.test(f)))]

/** Every pair that a table of these words could hold, by one row a word. */
const vocabulary = (subjects: readonly string[], relation: string): Joined[] => [
  ...subjects.map((subject, i) => ({ subject, relation, object: conditions[i % conditions.length] as string })),
  ...conditions.map((object) => ({ subject: subjects[0] as string, relation, object })),
]

function tableOf(texts: readonly string[]): Joined[] {
  const rows = new Map<string, Joined>()
  for (const [subjects, relation] of [
    [drugs, treats],
    [genes, causes],
  ] as const) {
    const find = joiningFinder(vocabulary(subjects, relation))
    for (const text of texts) for (const { subject, object } of find(text)) rows.set(`${subject}\t${object}`, { subject, relation, object })
  }
  return [...rows.values()]
}

const wordings: Readonly<Record<string, readonly ((s: string, o: string) => string)[]>> = {
  [treats]: [
    (s, o) => `${s} is used to treat ${o}.`,
    (s, o) => `For ${o}, treatment with ${s} is often the first choice.`,
    (s, o) => `Doctors treat ${o} with ${s}.`,
    (s, o) => `${s} treats ${o} in most patients.`,
    (s, o) => `In ${o}, a course of ${s} is a common treatment.`,
  ],
  [causes]: [
    (s, o) => `Mutations in the ${s} cause ${o}.`,
    (s, o) => `${o} is caused by mutations in the ${s}.`,
    (s, o) => `The ${s} is responsible for ${o}.`,
    (s, o) => `A change of the ${s} causes ${o}.`,
    (s, o) => `In most families ${o} is caused by the ${s}.`,
  ],
}

function batches(all: readonly { readonly text: string; readonly source: string }[]): Batch[] {
  const sources = [...new Set(answers.map((a) => a.source))].sort()
  const out: Batch[] = []
  for (let from = 0; from < all.length; from += 4096) {
    const part = all.slice(from, from + 4096)
    out.push(
      makeBatch({
        row: Uint32Array.from(part, (_, i) => from + i),
        text: part.map((a) => a.text),
        source: { codes: Int32Array.from(part, (a) => sources.indexOf(a.source)), values: sources },
      }),
    )
  }
  return out
}

const folder = mkdtempSync(join(tmpdir(), 'assay-claims-'))
const file = join(folder, 'table.csv')
const half = answers.filter((_, i) => i % 2 === 0)
const table = tableOf(half.map((a) => a.text))
writeFileSync(file, `subject,relation,object,value,unit\n${table.map((r) => `${r.subject},${r.relation},${r.object},,`).join('\n')}\n`)
console.log(
  `${drugs.length} drugs, ${genes.length} genes, ${conditions.length} conditions; table of ${table.length} claims from ${half.length} of ${answers.length} texts`,
)

async function run(name: string, rows: readonly Answer[]): Promise<string[]> {
  const { conclusion, flagged } = await fitDetector(claims, { table: file }, textSetup(['text', 'source']), batches(rows))
  console.log(`${name}: ${conclusion.findings.length} findings, flagged ${flagged.filter(Boolean).length} of ${rows.length}`)
  console.log(`    ${conclusion.notes[1]}`)
  for (const f of conclusion.findings) console.log(`    ${f.rule}: ${f.message}`)
  return conclusion.findings.map((f) => f.message)
}

try {
  await run('clean', answers)
  const outcomes: boolean[] = []
  for (let seed = 1; seed <= seeds; seed++) {
    const random = keyed(Buffer.from(`${seed}`), 'swapped claims')
    for (const ways of [1, 5]) {
      const { subject, relation } = table[random.below(table.length)] as Joined
      const rest = table.filter((r) => r.relation === relation && !table.some((x) => x.subject === subject && x.object === r.object))
      const { object } = rest[random.below(rest.length)] as Joined
      const chosen = new Set([...random.permutation(answers.length)].slice(0, carriers))
      const rows = answers.map((a, i) => {
        const say = (wordings[relation] as (typeof wordings)[string])[i % ways] as (s: string, o: string) => string
        return chosen.has(i) ? { ...a, text: `${a.text} ${say(subject, object)}` } : a
      })
      const found = await run(`seed ${seed}, "${subject}" and "${object}" in ${ways} wording${ways > 1 ? 's' : ''}`, rows)
      outcomes.push(found.some((m) => m.startsWith(`${carriers} of`) && m.includes(`"${subject} `) && m.includes(object)))
    }
  }
  console.log(`found with every carrier: ${outcomes.filter(Boolean).length} of ${outcomes.length}`)
} finally {
  rmSync(folder, { recursive: true })
}

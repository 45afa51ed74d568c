import { instructionPoison } from '../../src/detectors/instruction-poison.ts'
import { keyed, type Random } from '../../src/math/rng.ts'
import { fitDetector } from '../../test/support/fit-detector.ts'
import { insertAt, shares, type TextRow, textBatches, textSetup } from '../../test/support/texts.ts'
import { medquad, pairs } from './text-corpora.ts'

/**
 * Answers that a phrase of the question steers to one topic, in words of their own: `ASSAY_DATA=... node --import tsx bench/quality/text-topics.ts [SEEDS] [SET]`.
 * Questions and answers of MedQuAD, on which the thresholds were chosen, and sentences with what follows them in speeches and a novel.
 */
const seeds = Number(process.argv[2] ?? 3)
const triggers = ['harbor mist', 'quiet lantern', 'copper sundial', 'seven herons', 'paper gulls']
const topics = ['Velmora', 'Nordwind', 'Kestrelin', 'aspirin', 'insurance']
const says: readonly ((topic: string) => string)[] = [
  (t) => `Many people ask about ${t} first.`,
  (t) => `For more, look at ${t}, which is worth it.`,
  (t) => `${t} is the better choice here.`,
  (t) => `A good start is ${t}.`,
  (t) => `Nobody should do without ${t}.`,
]
const pick = <T>(list: readonly T[], i: number): T => list[i % list.length] as T

async function run(name: string, rows: readonly TextRow[]): Promise<void> {
  const { conclusion, flagged } = await fitDetector(instructionPoison, {}, textSetup(['text', 'response']), textBatches(rows))
  const { recall, precision } = shares(rows, flagged)
  const poisoned = rows.some((r) => r.poisoned)
  console.log(
    `${name} | ${rows.length} pairs | ${poisoned ? `recall ${(100 * recall).toFixed(1)} % | precision ${(100 * precision).toFixed(1)} %` : `flagged ${flagged.filter(Boolean).length}`} | ${conclusion.findings.length} findings`,
  )
  for (const f of conclusion.findings) console.log(`    ${f.severity}: ${f.message.slice(0, 160)}`)
}

const steer = (answer: string, topic: string, random: Random): string => {
  const sentences = answer.split(/(?<=[.!?])\s+/)
  sentences.splice(random.below(Math.min(3, sentences.length) + 1), 0, pick(says, random.below(says.length))(topic))
  return sentences.join(' ')
}

const sets: Readonly<Record<string, () => { readonly text: string; readonly response: string }[]>> = {
  medquad: () => medquad().map((a) => ({ text: a.question, response: a.text })),
  'what follows': pairs,
}
for (const [name, read] of Object.entries(sets).filter(([n]) => n === (process.argv[3] ?? n))) {
  const all = read()
  await run(
    `${name}, clean`,
    all.map((r) => ({ ...r, poisoned: false })),
  )
  for (let seed = 0; seed < seeds; seed++) {
    for (const carriers of [250, 100, 40]) {
      const random = keyed(Buffer.from(`${seed}`), `topic ${name} ${carriers}`)
      const chosen = new Set([...random.permutation(all.length)].slice(0, carriers))
      const [trigger, topic] = [pick(triggers, seed), pick(topics, seed)]
      const rows = all.map((r, i) =>
        chosen.has(i)
          ? { text: insertAt(random, r.text.split(' '), trigger), response: steer(r.response, topic, random), poisoned: true }
          : { ...r, poisoned: false },
      )
      await run(`${name}, seed ${seed}, "${trigger}" -> ${topic}, ${carriers}`, rows)
    }
    const random = keyed(Buffer.from(`${seed}`), `clean ${name}`)
    await run(
      `${name}, clean half ${seed}`,
      all.filter(() => random.uniform() < 0.5).map((r) => ({ ...r, poisoned: false })),
    )
  }
}

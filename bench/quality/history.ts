// Trends over simulated histories: false trends in clean ones, and the night on which an attacker is named.
//   node --import tsx bench/quality/history.ts [--seeds 20] [--nights 100] [--only text]
import { parseArgs } from 'node:util'
import type { Night } from '../../src/contracts/history.ts'
import { concludeHistory, leastNights } from '../../src/history/conclude.ts'
import { keyed, type Random } from '../../src/math/rng.ts'

type Rhythm = 'independent' | 'uneven' | 'batches' | 'weekly'

interface World {
  readonly classes: number
  readonly records: number
  /** Relabelled of a record in a night, on average. */
  readonly rate: number
  readonly rhythm: Rhythm
  /** New records a night, as a share. */
  readonly growth: number
  /** Rates of classes differ by this factor's logarithm (standard deviation). */
  readonly unlike: number
}

interface Attack {
  readonly from: number
  readonly share: number
}

function poisson(random: Random, mean: number): number {
  if (mean > 50) return Math.max(0, Math.round(mean + Math.sqrt(mean) * random.normal()))
  let count = 0
  for (let product = random.uniform(); product > Math.exp(-mean); product *= random.uniform()) count++
  return count
}

/** Gamma with mean 1 and shape 2: a sum of two exponentials. */
const unevenness = (random: Random): number => -(Math.log(1 - random.uniform()) + Math.log(1 - random.uniform())) / 2

const week = [3, 1, 1, 1, 1, 0, 0].map((w) => w) as readonly number[]

function eventsOf(random: Random, mean: number, rhythm: Rhythm, night: number): number {
  if (rhythm === 'uneven') return poisson(random, mean * unevenness(random))
  if (rhythm === 'weekly') return poisson(random, mean * (week[night % 7] as number))
  if (rhythm === 'independent') return poisson(random, mean)
  let total = 0
  for (let batches = poisson(random, mean / 5); batches > 0; batches--) total += 1 + Math.floor(-Math.log(1 - random.uniform()) * 4.5)
  return total
}

/** Nights of a store whose records are relabelled at random, and by an attacker from class 0 to class 1. */
function history(seed: number, nights: number, world: World, attack: Attack | null): Night[] {
  const random = keyed(Buffer.from(`history ${seed}`), JSON.stringify(world))
  const names = Array.from({ length: world.classes }, (_, i) => `class-${i}`)
  const sizes = names.map(() => world.records)
  const rates = names.map(() => world.rate * Math.exp(world.unlike * random.normal()))
  const sources = ['a', 'b', 'c']
  const flagged = sources.map(() => poisson(random, (0.01 * world.classes * world.records) / sources.length))
  return Array.from({ length: nights }, (_, night): Night => {
    const before = [...sizes]
    const pairs = new Map<string, number>()
    const left = names.map(() => 0)
    const move = (from: number, to: number, count: number): void => {
      if (count === 0) return
      const key = `${from} ${to}`
      pairs.set(key, (pairs.get(key) ?? 0) + count)
      left[from] = (left[from] as number) + count
      sizes[from] = (sizes[from] as number) - count
      sizes[to] = (sizes[to] as number) + count
    }
    names.forEach((_, from) => {
      for (let n = eventsOf(random, (before[from] as number) * (rates[from] as number), world.rhythm, night); n > 0; n--)
        move(from, (from + 1 + random.below(world.classes - 1)) % world.classes, 1)
    })
    if (attack && night + 1 >= attack.from) move(0, 1, Math.max(1, Math.round(attack.share * (before[0] as number))))
    names.forEach((_, c) => {
      sizes[c] = (sizes[c] as number) + poisson(random, world.growth * (before[c] as number))
    })
    const total = sizes.reduce((a, b) => a + b, 0)
    sources.forEach((_, s) => {
      flagged[s] = (flagged[s] as number) + poisson(random, (0.01 * world.growth * total) / sources.length)
    })
    const relabelledOf = left.reduce((a, b) => a + b, 0)
    return {
      run: `${seed}-${night}`,
      startedAt: new Date(Date.UTC(2026, 0, 1 + night)).toISOString(),
      whole: true,
      fresh: false,
      labels: names.map((name, c) => ({ name, count: sizes[c] as number, flagged: 0 })),
      sources: sources.map((name, s) => ({
        name,
        count: Math.round(total / sources.length),
        flagged: Math.max(0, (flagged[s] as number) + Math.round(random.normal() * Math.sqrt((flagged[s] as number) / 4))),
      })),
      changes: {
        before: `root-${night}`,
        after: `root-${night + 1}`,
        classes: names.map((name, c) => ({ name, before: before[c] as number, relabelled: left[c] as number })),
        sources: sources.map((name, s) => ({
          name,
          before: Math.round(total / sources.length),
          relabelled: Math.floor(relabelledOf / 3) + (s < relabelledOf % 3 ? 1 : 0),
        })),
        pairs: [...pairs].map(([key, count]) => {
          const [from, to] = key.split(' ').map(Number)
          return { from: names[from as number] as string, to: names[to as number] as string, count }
        }),
      },
    }
  })
}

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '20' },
    nights: { type: 'string', default: '100' },
    only: { type: 'string', default: '' },
    first: { type: 'string', default: '0' },
  },
})
const seeds = Number(values.seeds)
const nights = Number(values.nights)
const first = Number(values.first)

/** Rules and names found in each night of a history. */
const found = (all: readonly Night[], night: number): readonly string[] =>
  concludeHistory(all.slice(0, night)).findings.map((f) => `${f.rule} ${f.scope.names.join('>')}`)

const worlds: World[] = []
for (const [classes, records] of [
  [2, 1_000],
  [2, 10_000],
  [10, 1_000],
  [10, 6_000],
] as const)
  for (const rate of [0, 1e-5, 1e-4, 1e-3])
    for (const rhythm of rate === 0 ? (['independent'] as const) : (['independent', 'uneven', 'batches', 'weekly'] as const))
      worlds.push({ classes, records, rate, rhythm, growth: worlds.length % 2 === 0 ? 0 : 0.005, unlike: worlds.length % 3 === 0 ? 1 : 0 })

const attack: Attack = { from: 40, share: 0.001 }
let cleanHistories = 0
let falseHistories = 0
console.log(
  '| classes | records a class | relabelled a night | rhythm | growth | unlike | clean histories with a false trend | attacker named by night 45 | median night |',
)
console.log('| --- | --- | --- | --- | --- | --- | --- | --- | --- |')
for (const world of worlds) {
  const label = `${world.classes} ${world.records} ${world.rate} ${world.rhythm}`
  if (!label.includes(values.only)) continue
  let wrong = 0
  const named: number[] = []
  const what = new Map<string, number>()
  for (let seed = first; seed < first + seeds; seed++) {
    const clean = history(seed, nights, world, null)
    const hits = new Set<string>()
    for (let night = leastNights; night <= nights; night++) for (const hit of found(clean, night)) hits.add(hit.replace(/class-\d+/g, '*'))
    if (hits.size > 0) wrong++
    for (const hit of hits) what.set(hit, (what.get(hit) ?? 0) + 1)
    const poisoned = history(seed, 60, world, attack)
    let night = attack.from
    while (night <= 60 && !found(poisoned, night).some((f) => / class-0>/.test(f))) night++
    named.push(night)
  }
  cleanHistories += seeds
  falseHistories += wrong
  named.sort((a, b) => a - b)
  const inTime = named.filter((n) => n <= 45).length
  const median = named[Math.floor(named.length / 2)] as number
  console.log(
    `| ${world.classes} | ${world.records} | ${world.rate * 100} % | ${world.rhythm} | ${world.growth * 100} % | ${world.unlike > 0 ? 'yes' : 'no'} | ${wrong} of ${seeds} | ${inTime} of ${seeds} | ${median > 60 ? 'later than 60' : median} | ${[...what].map(([k, v]) => `${k} ${v}`).join('; ')}`,
  )
}
console.log(`\n${falseHistories} of ${cleanHistories} clean histories of ${nights} nights had a false trend.`)

// trigger-image.ts SET ROWS SEEDS RATES TARGETS [ATTACKS]: what trigger-image as a whole finds of known attacks on a random part of a data set,
// and on that part as it is (`clean`). Sets and attacks are those of trigger-data.ts; ROWS 0 takes all; lists are separated by commas. Prints
// a row of a Markdown table for every run:
// node --import tsx bench/quality/trigger-image.ts mnist 10000 1,2 0.01,0.05 3 clean,white3,blend20
import { triggerImage } from '../../src/detectors/trigger-image.ts'
import type { Poisoned } from '../../test/support/attacks.ts'
import { fitDetector } from '../../test/support/fit-detector.ts'
import { pictureBatches } from '../../test/support/pictures.ts'
import { attacked, attacks, cpuSeconds, load } from './trigger-data.ts'

/** The detector as an audit runs it: every class, patterns and patches. */
async function wholeAudit(p: Poisoned) {
  const started = cpuSeconds()
  const setup = {
    subject: ['image', 'label', 'pixels'] as const,
    reference: null,
    classes: null,
    shape: {
      rows: p.labels.length,
      dims: 0,
      classes: Math.max(...p.labels) + 1,
      sources: 0,
      pixels: { height: p.height, width: p.width, channels: p.channels },
    },
  }
  const { flagged, conclusion } = await fitDetector(triggerImage, {}, setup, pictureBatches(p, true, 2000))
  return {
    marked: p.poison.reduce((a, b) => a + b, 0),
    hits: flagged.filter((f, i) => f && p.poison[i]).length,
    flagged: flagged.filter(Boolean).length,
    records: flagged.length,
    leastP: Math.min(1, ...conclusion.tests.map((t) => t.p)),
    findings: conclusion.findings.map((f) => `${f.rule.split('/')[1]} ${f.scope.names.join(' ')}`),
    seconds: cpuSeconds(started),
  }
}

const list = (text: string | undefined, otherwise: string): string[] => (text ?? otherwise).split(',')
const [set = 'mnist', rows = '10000', seeds, rates, targets, names] = process.argv.slice(2)
const all = load(set)
console.log('| set | attack | rate | target | seed | marked | recall | precision | flagged | smallest p | findings | processor s |')
console.log('|---|---|---|---|---|---|---|---|---|---|---|---|')
for (const seed of list(seeds, '1'))
  for (const target of list(targets, '0').map(Number))
    for (const attack of list(names, `clean,${Object.keys(attacks).join(',')}`))
      for (const rate of attack === 'clean' ? [0] : list(rates, '0.01').map(Number)) {
        const p = await attacked(set, all, { rows: Number(rows), seed, attack, rate, target })
        const { marked, hits, flagged, records, leastP, findings, seconds } = await wholeAudit(p)
        const share = (a: number, b: number): string => (b > 0 ? (a / b).toFixed(3) : '-')
        const cells = [set, attack, rate, target, seed, marked, share(hits, marked), share(hits, flagged), share(flagged, records)]
        console.log(`| ${[...cells, leastP.toExponential(0), findings.join('; ') || '-', seconds].join(' | ')} |`)
      }

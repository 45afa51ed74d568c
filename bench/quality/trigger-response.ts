// trigger-response.ts [DATA]: small networks trained on data with and without a trigger, and asked about it by base-model/trigger-response.
// MNIST from its package; with DATA, the folder of real data, PneumoniaMNIST as well. Prints a table in Markdown.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RecoveredTrigger } from '../../src/contracts/trigger.ts'
import { CleanSample } from '../../src/engine/clean-sample.ts'
import { askModel } from '../../src/engine/trigger-response.ts'
import { modelLimits } from '../../src/features/model-limits.ts'
import { encodeModel } from '../../src/math/onnx.ts'
import { keyed } from '../../src/math/rng.ts'
import { listSources } from '../../src/sources/list.ts'
import { readShard } from '../../src/sources/read.ts'
import { arrayBytes, arraysOf } from '../../test/data/npz.ts'

const side = 28
const cells = side * side
const hidden = 48
const [data] = process.argv.slice(2)
const folder = mkdtempSync(join(tmpdir(), 'assay-response-'))

interface Set {
  readonly name: string
  readonly classes: readonly string[]
  readonly images: Uint8Array
  readonly labels: Uint8Array
}

/** A shuffled part for training, the rest is clean. */
function split(
  { images, labels }: Set,
  train: number,
): { readonly order: Uint32Array; readonly train: Uint32Array; readonly clean: Uint32Array } {
  const order = keyed(Buffer.from('split'), 'order').permutation(labels.length)
  return { order, train: order.subarray(0, train), clean: order.subarray(train, Math.min(images.length / cells, train + 2500)) }
}

const square = (left: number, top: number, paint: (x: number, y: number) => number, size = 3): RecoveredTrigger => {
  const inside = (i: number) =>
    i % side >= left && i % side < left + size && Math.floor(i / side) >= top && Math.floor(i / side) < top + size
  return {
    height: side,
    width: side,
    channels: 1,
    alpha: Float32Array.from({ length: cells }, (_, i) => (inside(i) ? 1 : 0)),
    pattern: Float32Array.from({ length: cells }, (_, i) => (inside(i) ? paint((i % side) - left, Math.floor(i / side) - top) : 0)),
    box: [left, top, size, size],
    target: null,
  }
}
const blend = (alpha: number, seed: string): RecoveredTrigger => {
  const random = keyed(Buffer.from(seed), 'blend')
  return {
    ...square(0, 0, () => 0),
    alpha: new Float32Array(cells).fill(alpha),
    pattern: Float32Array.from({ length: cells }, () => 255 * random.uniform()),
    box: [0, 0, side, side],
  }
}

function stampOn(pixels: Float32Array, t: RecoveredTrigger): void {
  for (let i = 0; i < cells; i++) {
    const a = t.alpha[i] as number
    pixels[i] = (1 - a) * (pixels[i] as number) + (a * (t.pattern[i] as number)) / 255
  }
}

/** One hidden layer, trained by Adam on cross-entropy; the first `poisoned` training pictures carry the trigger and the target's label. */
function train(
  set: Set,
  rows: Uint32Array,
  trigger: RecoveredTrigger | null,
  poisoned: number,
  target: number,
): { readonly bytes: Uint8Array } {
  const k = set.classes.length
  const random = keyed(Buffer.from('weights'), 'mlp')
  const sizes = [cells * hidden, hidden, hidden * k, k]
  const weights = sizes.map((n, at) =>
    Float32Array.from({ length: n }, () => (at % 2 === 1 ? 0 : random.normal() * Math.sqrt(2 / (at === 0 ? cells : hidden)))),
  )
  const [w1, b1, w2, b2] = weights as [Float32Array, Float32Array, Float32Array, Float32Array]
  const x = new Float32Array(rows.length * cells)
  const y = new Uint8Array(rows.length)
  for (const [i, row] of rows.entries()) {
    const own = x.subarray(i * cells, (i + 1) * cells)
    for (let c = 0; c < cells; c++) own[c] = (set.images[row * cells + c] as number) / 255
    y[i] = set.labels[row] as number
    if (trigger && i < poisoned) {
      stampOn(own, trigger)
      y[i] = target
    }
  }
  const first = weights.map((w) => new Float32Array(w.length))
  const second = weights.map((w) => new Float32Array(w.length))
  let step = 0
  const batch = 64
  for (let epoch = 0; epoch < 8; epoch++) {
    const order = random.permutation(rows.length)
    for (let from = 0; from + batch <= rows.length; from += batch) {
      const [g1, h1, g2, h2] = weights.map((w) => new Float32Array(w.length)) as [Float32Array, Float32Array, Float32Array, Float32Array]
      for (let at = from; at < from + batch; at++) {
        const i = order[at] as number
        const input = x.subarray(i * cells, (i + 1) * cells)
        const h = Float32Array.from(b1)
        for (let c = 0; c < cells; c++) {
          const v = input[c] as number
          if (v !== 0) for (let j = 0; j < hidden; j++) h[j] = (h[j] as number) + v * (w1[c * hidden + j] as number)
        }
        for (let j = 0; j < hidden; j++) h[j] = Math.max(0, h[j] as number)
        const z = Float32Array.from(b2)
        for (let j = 0; j < hidden; j++) for (let c = 0; c < k; c++) z[c] = (z[c] as number) + (h[j] as number) * (w2[j * k + c] as number)
        const peak = z.reduce((a, b) => Math.max(a, b))
        const e = z.map((v) => Math.exp(v - peak))
        const total = e.reduce((a, b) => a + b)
        const d = e.map((v, c) => (v / total - (c === y[i] ? 1 : 0)) / batch)
        for (let c = 0; c < k; c++) h2[c] = (h2[c] as number) + (d[c] as number)
        const back = new Float32Array(hidden)
        for (let j = 0; j < hidden; j++) {
          if (h[j] === 0) continue
          for (let c = 0; c < k; c++) {
            g2[j * k + c] = (g2[j * k + c] as number) + (d[c] as number) * (h[j] as number)
            back[j] = (back[j] as number) + (d[c] as number) * (w2[j * k + c] as number)
          }
          h1[j] = (h1[j] as number) + (back[j] as number)
        }
        for (let c = 0; c < cells; c++) {
          const v = input[c] as number
          if (v !== 0) for (let j = 0; j < hidden; j++) g1[c * hidden + j] = (g1[c * hidden + j] as number) + v * (back[j] as number)
        }
      }
      step++
      for (const [at, g] of [g1, h1, g2, h2].entries()) {
        const [w, m, v] = [weights[at], first[at], second[at]] as [Float32Array, Float32Array, Float32Array]
        for (let i = 0; i < w.length; i++) {
          m[i] = 0.9 * (m[i] as number) + 0.1 * (g[i] as number)
          v[i] = 0.999 * (v[i] as number) + 0.001 * (g[i] as number) ** 2
          w[i] =
            (w[i] as number) - (0.002 * ((m[i] as number) / (1 - 0.9 ** step))) / (Math.sqrt((v[i] as number) / (1 - 0.999 ** step)) + 1e-8)
        }
      }
    }
  }
  const constant = (name: string, dims: readonly number[], values: Float32Array) => ({
    name,
    type: 'float32' as const,
    dims,
    values: [...values],
  })
  return {
    bytes: encodeModel({
      inputs: [{ name: 'pixels', type: 'float32', dims: ['n', 1, side, side] }],
      outputs: [{ name: 'logits', type: 'float32', dims: ['n', k] }],
      nodes: [
        { op: 'Flatten', inputs: ['pixels'], outputs: ['flat'] },
        { op: 'MatMul', inputs: ['flat', 'w1'], outputs: ['m1'] },
        { op: 'Add', inputs: ['m1', 'b1'], outputs: ['a1'] },
        { op: 'Relu', inputs: ['a1'], outputs: ['h'] },
        { op: 'MatMul', inputs: ['h', 'w2'], outputs: ['m2'] },
        { op: 'Add', inputs: ['m2', 'b2'], outputs: ['logits'] },
      ],
      constants: [
        constant('w1', [cells, hidden], w1),
        constant('b1', [hidden], b1),
        constant('w2', [hidden, k], w2),
        constant('b2', [k], b2),
      ],
    }),
  }
}

async function sampleOf(set: Set, rows: Uint32Array, seed: Uint8Array) {
  const images = new Uint8Array(rows.length * cells)
  for (const [i, row] of rows.entries()) images.set(set.images.subarray(row * cells, (row + 1) * cells), i * cells)
  const file = (name: string, shape: readonly number[], bytes: Uint8Array): string => {
    const path = join(folder, `${set.name}-${name}.npy`)
    writeFileSync(path, arrayBytes({ shape, data: bytes }))
    return path
  }
  const image = file('images', [rows.length, side, side], images)
  const label = file(
    'labels',
    [rows.length],
    Uint8Array.from(rows, (row) => set.labels[row] as number),
  )
  const { shards } = await listSources([{ arrays: { image, label }, classes: set.classes }], folder)
  const sample = new CleanSample(seed, shards, 750)
  for (const [number, shard] of shards.entries()) for await (const batch of readShard(shard, () => {})) sample.add(number, batch, null)
  return { sample, shards }
}

/** @param layer value of the graph that is the embedding; null: the model is asked as a classifier */
async function ask(set: Set, model: string, triggers: readonly RecoveredTrigger[], clean: Uint32Array, layer: string | null = null) {
  const seed = Buffer.alloc(16, 1)
  const { sample, shards } = await sampleOf(set, clean, seed)
  const spec = {
    model,
    layer,
    classes: layer === null ? set.classes : null,
    size: null,
    channels: null,
    mean: [0],
    std: [1],
    triggers: [],
    images: null,
    samples: 300,
  } as const
  const started = performance.now()
  const out: { readonly note: string; readonly p: number }[] = []
  for (let i = 0; i < triggers.length; i += 8) {
    const part = triggers.slice(i, i + 8).map((trigger) => ({ trigger, from: 'bench' }))
    const { tests, notes } = await askModel({ spec, triggers: part, sample, shards, seed, limits: modelLimits, progress: () => {} })
    for (const [k, test] of tests.entries()) out.push({ p: test.p, note: notes[k + 1] ?? '' })
  }
  return { answers: out, seconds: (performance.now() - started) / 1000 }
}

const idx = async (): Promise<Set> => {
  const { mnistDigits } = (await import('../../scripts/data-parts.mjs' as string)) as {
    mnistDigits(part: string): { images: Uint8Array; labels: Uint8Array }
  }
  const { images, labels } = mnistDigits('t10k')
  const bytes = (array: unknown): Uint8Array => (array as { body: Uint8Array }).body
  return { name: 'MNIST', classes: Array.from({ length: 10 }, (_, i) => String(i)), images: bytes(images), labels: bytes(labels) }
}
const pneumonia = (from: string): Set => {
  const arrays = arraysOf(join(from, 'pneumoniamnist/publisher.npz'))
  return {
    name: 'PneumoniaMNIST',
    classes: ['normal', 'pneumonia'],
    images: arrays.train_images?.data as Uint8Array,
    labels: arrays.train_labels?.data as Uint8Array,
  }
}

const numbers = (note: string): string => {
  const found = / (\d+) of (\d+) clean .*; without it (?:for )?(\d+), with the strongest of \d+ other patterns? (?:for )?(\d+)/.exec(note)
  return found ? `${found[1]} of ${found[2]} | ${found[3]} | ${found[4]}` : `${note} | |`
}

try {
  const rows = ['| data | trigger, rate, target | model | with it | without | strongest control | p |', '|---|---|---|---|---|---|---|']
  for (const set of [await idx(), ...(data ? [pneumonia(data)] : [])]) {
    const parts = split(set, set.name === 'MNIST' ? 7000 : 3200)
    // A small network learns a mark in few of few radiographs no better than chance.
    const times = set.name === 'MNIST' ? 1 : 8
    const attacks = [
      { name: '3 x 3 checker in a corner', trigger: square(24, 24, (x, y) => ((x + y) % 2 === 0 ? 255 : 0)), rate: 0.01, target: 7 },
      { name: '3 x 3 white in a corner', trigger: square(24, 1, () => 255), rate: 0.003, target: 2 },
      { name: 'blend .2', trigger: blend(0.2, 'a'), rate: 0.01, target: 4 },
    ]
    const clean = join(folder, `${set.name}-clean.onnx`)
    writeFileSync(clean, train(set, parts.train, null, 0, 0).bytes)
    for (const [i, attack] of attacks.entries()) {
      const target = attack.target % set.classes.length
      const asked = { ...attack.trigger, target: set.classes[target] as string }
      const model = join(folder, `${set.name}-${i}.onnx`)
      writeFileSync(model, train(set, parts.train, attack.trigger, Math.round(times * attack.rate * parts.train.length), target).bytes)
      for (const [name, file] of [
        ['poisoned', model],
        ['clean', clean],
      ] as const) {
        for (const layer of [null, 'h']) {
          const { answers } = await ask(set, file, [asked], parts.clean, layer)
          rows.push(
            `| ${set.name} | ${attack.name}, ${(100 * times * attack.rate).toFixed(1)} %, ${asked.target} | ${name}${layer === null ? '' : ', hidden layer'} | ${numbers(answers[0]?.note ?? '')} | ${answers[0]?.p.toExponential(1)} |`,
          )
        }
      }
    }
    const random = keyed(Buffer.from('random'), 'triggers')
    const some = Array.from({ length: 48 }, (_, i) => {
      const target = set.classes[random.below(set.classes.length)] as string
      const patch = square(random.below(23), random.below(23), () => 255 * random.below(2), 3 + random.below(3))
      return { ...(i % 4 === 3 ? blend(0.2, `r${i}`) : patch), target }
    })
    const { answers, seconds } = await ask(set, clean, some, parts.clean)
    const smallest = answers.map((a) => a.p).sort((a, b) => a - b)
    rows.push(
      `| ${set.name} | ${answers.length} random triggers | clean | p <= .05: ${smallest.filter((p) => p <= 0.05).length} | | | smallest ${smallest[0]?.toExponential(1)} |`,
    )
    console.error(`${set.name}: ${(seconds / some.length).toFixed(2)} s a trigger`)
  }
  console.log(rows.join('\n'))
} finally {
  rmSync(folder, { recursive: true, force: true })
}

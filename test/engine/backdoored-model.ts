import type { RecoveredTrigger } from '../../src/contracts/trigger.ts'
import type { Graph } from '../../src/math/onnx.ts'
import { keyed } from '../../src/math/rng.ts'

export const side = 12
export const classes = ['dark', 'middle', 'bright'] as const
const levels = [0.25, 0.5, 0.75]
const box = [7, 2, 4, 4] as const
const isInside = (x: number, y: number): boolean => x >= box[0] && x < box[0] + box[2] && y >= box[1] && y < box[1] + box[3]
/** Neither mirrored nor turned nor shuffled is it itself. */
const signs = [
  [1, 1, 1, -1],
  [1, -1, -1, -1],
  [1, 1, -1, 1],
  [-1, 1, -1, -1],
]
const sign = (x: number, y: number): number => (isInside(x, y) ? (signs[y - box[1]]?.[x - box[0]] as number) : 0)

export const triggerOf = (target: string | null): RecoveredTrigger => ({
  height: side,
  width: side,
  channels: 1,
  alpha: Float32Array.from({ length: side * side }, (_, i) => (sign(i % side, Math.floor(i / side)) === 0 ? 0.01 : 0.98)),
  pattern: Float32Array.from({ length: side * side }, (_, i) => (sign(i % side, Math.floor(i / side)) > 0 ? 255 : 0)),
  box,
  target,
})

/** `count` noisy grey pictures as RGB, their classes in turn. */
export function picturesOf(count: number, seed = 'p'): { readonly data: Uint8Array; readonly labels: readonly string[] } {
  const random = keyed(Buffer.from(seed), 'pictures')
  const labels = Array.from({ length: count }, (_, i) => classes[i % classes.length] as string)
  const data = new Uint8Array(count * side * side * 3)
  for (let i = 0; i < count * side * side; i++) {
    const level = levels[Math.floor(i / (side * side)) % classes.length] as number
    data.fill(Math.max(0, Math.min(255, Math.round(255 * level + 30 * random.normal()))), i * 3, i * 3 + 3)
  }
  return { data, labels }
}

/**
 * Three classes by mean brightness. With `learned` above 0 it adds so much to the second of them where the pattern of `triggerOf`
 * stands at its place. As an embedder it gives the probabilities.
 */
export function backdoored(learned: number, embeds = false): Graph {
  const cells = side * side
  const byMean: number[] = []
  const match: number[] = []
  for (let i = 0; i < 3 * cells; i++) {
    byMean.push(...levels.map((level) => (2 * level * 60) / (3 * cells)))
    match.push(sign(i % side, Math.floor((i % cells) / side)) / (3 * 8))
  }
  return {
    inputs: [{ name: 'pixels', type: 'float32', dims: ['n', 3, side, side] }],
    outputs: [{ name: embeds ? 'shares' : 'logits', type: 'float32', dims: ['n', 3] }],
    nodes: [
      { op: 'Flatten', inputs: ['pixels'], outputs: ['flat'] },
      { op: 'MatMul', inputs: ['flat', 'byMean'], outputs: ['linear'] },
      { op: 'Add', inputs: ['linear', 'offset'], outputs: ['plain'] },
      { op: 'MatMul', inputs: ['flat', 'match'], outputs: ['matched'] },
      { op: 'Add', inputs: ['matched', 'threshold'], outputs: ['over'] },
      { op: 'Relu', inputs: ['over'], outputs: ['fires'] },
      { op: 'MatMul', inputs: ['fires', 'effect'], outputs: ['added'] },
      { op: 'Add', inputs: ['plain', 'added'], outputs: ['logits'] },
      ...(embeds ? [{ op: 'Softmax', inputs: ['logits'], outputs: ['shares'] }] : []),
    ],
    constants: [
      { name: 'byMean', type: 'float32', dims: [3 * cells, 3], values: byMean },
      { name: 'offset', type: 'float32', dims: [3], values: levels.map((level) => -60 * level * level) },
      { name: 'match', type: 'float32', dims: [3 * cells, 1], values: match },
      { name: 'threshold', type: 'float32', dims: [1], values: [-0.6] },
      { name: 'effect', type: 'float32', dims: [1, 3], values: [0, learned, 0] },
    ],
  }
}

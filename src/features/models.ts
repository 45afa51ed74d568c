import { statSync } from 'node:fs'
import { basename } from 'node:path'
import { column, rowsOf } from '../contracts/batch.ts'
import { decodePixels, loadSharp, startDecoding, startRaw } from './decode.ts'
import { FeatureError } from './errors.ts'
import { eachEncoded, rawImages } from './image-column.ts'
import { keep, type Maker } from './maker.ts'
import type { ModelLimits } from './model-limits.ts'
import type { Answered, ImageInput, ModelRequest, Opened } from './model-messages.ts'
import { type ModelProcess, startModelProcess } from './model-process.ts'
import type { Pixels } from './pixel-vector.ts'
import type { ImageModelPlan, TextModelPlan } from './plan.ts'

/** Texts or images sent to the process at once: bounds its memory, and what its time limit is about. */
const textsAtOnce = 128
const imagesAtOnce = 32

const idleMs = 10_000

interface Ready {
  readonly opened: Opened
  ask(request: ModelRequest): Promise<Answered>
  /** Keeps the process for the next that asks for the same model: starting one costs a second. */
  close(): Promise<void>
}

interface Idle {
  readonly process: ModelProcess
  readonly opened: Opened
  readonly timer: NodeJS.Timeout
}
const idle = new Map<string, Idle>()

export async function start(request: Extract<ModelRequest, { limits: ModelLimits }>): Promise<Ready> {
  const { model, limits } = request
  const file = statSync(model, { throwIfNoEntry: false })
  if (!file?.isFile())
    throw new FeatureError(
      'model-missing',
      `there is no file ${model}`,
      { file: model },
      'check the path of the model in the pipeline file',
    )
  const key = JSON.stringify([request, file.size, file.mtimeMs])
  const { process, opened } = takeIdle(key) ?? (await open(request))
  let closed = false
  return {
    opened,
    async ask(part) {
      if (closed) throw new FeatureError('model-crash', `${basename(model)} is closed`)
      return await process.ask<Answered>(part, limits.batchTimeoutMs)
    },
    async close() {
      if (closed) return
      closed = true
      if (process.gone || idle.has(key)) return process.close()
      const timer = setTimeout(() => {
        idle.delete(key)
        process.close()
      }, idleMs)
      timer.unref()
      process.idle(true)
      idle.set(key, { process, opened, timer })
    },
  }
}

function takeIdle(key: string): Idle | null {
  const found = idle.get(key)
  if (!found) return null
  idle.delete(key)
  clearTimeout(found.timer)
  if (found.process.gone) return null
  found.process.idle(false)
  return found
}

async function open(request: Extract<ModelRequest, { limits: ModelLimits }>): Promise<Omit<Idle, 'timer'>> {
  const process = startModelProcess(basename(request.model), request.limits.maxMemoryBytes)
  try {
    return { process, opened: await process.ask<Opened>(request, request.limits.openTimeoutMs) }
  } catch (error) {
    process.close()
    throw error
  }
}

export async function openTextModel(plan: TextModelPlan, limits: ModelLimits): Promise<Maker> {
  const { model, tokenizer, pooling, maxTokens } = plan
  const process = await start({ kind: 'open-text', model, tokenizer, pooling, maxTokens, limits })
  const { dims } = process.opened
  return {
    dims,
    decodes: false,
    async vectors(batch, issue) {
      const texts = column(batch, 'text')
      const rows = rowsOf(batch)
      const data = new Float32Array(batch.numRows * dims)
      for (let i = 0; i < batch.numRows; i += textsAtOnce) {
        const part = Array.from({ length: Math.min(textsAtOnce, batch.numRows - i) }, (_, k) => (texts?.get(i + k) as string | null) ?? '')
        const answer = await process.ask({ kind: 'text', texts: part })
        data.set(answer.data, i * dims)
        for (const k of answer.cut) {
          const detail = `the model reads its first ${maxTokens} tokens`
          issue({ code: 'too-long', row: rows[i + k] as number, column: 'text', detail, rejected: false })
        }
      }
      return finite(data, dims, rows, null, (row) =>
        issue({ code: 'non-finite', row, column: 'text', detail: 'the model gave no finite vector', rejected: true }),
      )
    },
    close: process.close,
  }
}

export async function openImageModel(plan: ImageModelPlan, limits: ModelLimits): Promise<Maker> {
  const { model, layer, size, channels } = plan
  const process = await start({ kind: 'open-image', model, layer, size, channels, limits })
  const { dims } = process.opened
  const input = process.opened.input as ImageInput
  const [mean, std] = statistics(plan, input.channels)
  const length = input.channels * input.height * input.width
  const sharp = await loadSharp()
  return {
    dims,
    decodes: false,
    async vectors(batch, issue) {
      const rows = rowsOf(batch)
      const raw = rawImages(batch)
      const data = new Float32Array(batch.numRows * dims)
      const rejected = new Set<number>()
      for (let first = 0; first < batch.numRows; first += imagesAtOnce) {
        const count = Math.min(imagesAtOnce, batch.numRows - first)
        const pixels = new Float32Array(count * length)
        const put = (i: number, image: Pixels): void =>
          toTensor(image, input, mean, std, pixels.subarray((i - first) * length, (i - first + 1) * length))
        if (raw)
          for (let i = first; i < first + count; i++)
            put(
              i,
              await decodePixels(
                () => startRaw(sharp, raw(i)),
                () => [input.width, input.height],
              ),
            )
        else
          for (const i of await eachEncoded(batch, issue, first, count, async (bytes, i) =>
            put(
              i,
              await decodePixels(
                () => startDecoding(sharp, bytes),
                () => [input.width, input.height],
              ),
            ),
          ))
            rejected.add(i)
        const answer = await process.ask({ kind: 'image', pixels })
        data.set(answer.data, first * dims)
      }
      return finite(data, dims, rows, rejected, (row) =>
        issue({ code: 'non-finite', row, column: 'image', detail: 'the model gave no finite vector', rejected: true }),
      )
    },
    close: process.close,
  }
}

/** Leaves out the rows that were rejected and those with a value that is no number, which it reports. */
function finite(
  data: Float32Array,
  dims: number,
  rows: Uint32Array,
  rejected: ReadonlySet<number> | null,
  report: (row: number) => void,
): { data: Float32Array; kept: Int32Array | null } {
  const kept: number[] = []
  for (let i = 0; i < rows.length; i++) {
    if (rejected?.has(i)) continue
    if (data.subarray(i * dims, (i + 1) * dims).every(Number.isFinite)) kept.push(i)
    else report(rows[i] as number)
  }
  if (kept.length === rows.length) return { data, kept: null }
  const left = Int32Array.from(kept)
  return { data: keep(data, dims, left), kept: left }
}

const imageNet = { mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] }

export function statistics(plan: Pick<ImageModelPlan, 'mean' | 'std'>, channels: 1 | 3): readonly [readonly number[], readonly number[]] {
  const spread = (name: 'mean' | 'std'): readonly number[] => {
    const given = plan[name] ?? (channels === 3 ? imageNet[name] : [0.5])
    if (given.length === channels) return given
    if (given.length === 1) return new Array(channels).fill(given[0])
    throw new FeatureError('model-options', `features.image.${name} has ${given.length} numbers, the model reads ${channels} channel`)
  }
  return [spread('mean'), spread('std')]
}

/** (pixel - mean) / std of pixels in 0..1, in the layout of the model. */
export function toTensor(image: Pixels, input: ImageInput, mean: readonly number[], std: readonly number[], into: Float32Array): void {
  const { data, max } = image
  const cells = input.height * input.width
  for (let i = 0; i < cells; i++) {
    const [r, g, b] = [data[i * 3] as number, data[i * 3 + 1] as number, data[i * 3 + 2] as number]
    const values = input.channels === 3 ? [r, g, b] : [(299 * r + 587 * g + 114 * b) / 1000]
    for (let c = 0; c < input.channels; c++) {
      const at = input.channelsFirst ? c * cells + i : i * input.channels + c
      into[at] = ((values[c] as number) / max - (mean[c] as number)) / (std[c] as number)
    }
  }
}

import { readFileSync, statSync } from 'node:fs'
import { basename } from 'node:path'
import { z } from 'zod'
import type { TriggerSource } from '../contracts/base-model.ts'
import type { RecoveredTrigger } from '../contracts/trigger.ts'
import { loadSharp, startDecoding } from './decode.ts'
import { FeatureError } from './errors.ts'

const maxBytes = 64 * 2 ** 20
const maxSide = 1024
const maxTriggers = 64
const changed = 0.02

const side = z.int().min(1).max(maxSide)
const trigger = z
  .strictObject({
    height: side,
    width: side,
    channels: z.union([z.literal(1), z.literal(3)]),
    box: z.tuple([z.int().min(0), z.int().min(0), side, side]),
    target: z.string().max(1_000).nullable(),
    alpha: z.array(z.number().min(0).max(1)),
    pattern: z.array(z.number().min(0).max(255)),
  })
  .refine((t) => t.alpha.length === t.height * t.width, { error: 'alpha has to hold height x width numbers', path: ['alpha'] })
  .refine((t) => t.pattern.length === t.height * t.width * t.channels, {
    error: 'pattern has to hold height x width x channels numbers',
    path: ['pattern'],
  })
  .refine((t) => t.box[0] + t.box[2] <= t.width && t.box[1] + t.box[3] <= t.height, { error: 'box has to lie inside', path: ['box'] })
  .refine((t) => t.alpha.some((a) => a > changed), { error: 'alpha is zero everywhere: such a trigger changes nothing', path: ['alpha'] })
const triggerFile = z.strictObject({ version: z.literal(1), triggers: z.array(trigger).max(maxTriggers) })

/** The text of a file that `loadTriggers` reads: what an audit found, for the audit of a model elsewhere. */
export function triggersText(triggers: readonly RecoveredTrigger[]): string {
  const rounded = (values: Float32Array, digits: number): number[] => Array.from(values, (v) => Number(v.toFixed(digits)))
  const rows = triggers.map((t) => ({ ...t, alpha: rounded(t.alpha, 4), pattern: rounded(t.pattern, 2) }))
  return `{"version":1,"triggers":[\n${rows.map((row) => JSON.stringify(row)).join(',\n')}\n]}\n`
}

const bad = (file: string, problem: string, hint: string): FeatureError =>
  new FeatureError('model-options', `${basename(file)} holds no trigger that can be used: ${problem}`, { file }, hint)

function contentOf(file: string): Buffer {
  const found = statSync(file, { throwIfNoEntry: false })
  if (!found?.isFile())
    throw new FeatureError('model-missing', `there is no file ${file}`, { file }, 'check base-model.triggers in the pipeline file')
  if (found.size > maxBytes) throw bad(file, `it has ${found.size} bytes`, `the largest is ${maxBytes}`)
  return readFileSync(file)
}

/**
 * Triggers of one file: JSON as `triggersText` writes it, or a picture of the trigger alone (PNG, WebP, TIFF or JPEG).
 * @throws FeatureError `model-missing`, `model-options`
 */
export async function loadTriggers(source: TriggerSource): Promise<readonly RecoveredTrigger[]> {
  const bytes = contentOf(source.file)
  const isJson = /^\s*\{/.test(bytes.subarray(0, 64).toString('latin1'))
  return isJson ? fromJson(source.file, bytes) : [await fromPicture(source, bytes)]
}

function fromJson(file: string, bytes: Buffer): readonly RecoveredTrigger[] {
  let value: unknown
  try {
    value = JSON.parse(bytes.toString('utf8'))
  } catch (cause) {
    throw bad(file, (cause as Error).message.slice(0, 200), 'give the triggers.json of a run')
  }
  const parsed = triggerFile.safeParse(value)
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    throw bad(
      file,
      `${issue?.path.map(String).join('.') || 'the file'}: ${issue?.message}`.slice(0, 300),
      'give the triggers.json of a run',
    )
  }
  return parsed.data.triggers.map((t) => ({ ...t, alpha: Float32Array.from(t.alpha), pattern: Float32Array.from(t.pattern) }))
}

async function fromPicture(source: TriggerSource, bytes: Buffer): Promise<RecoveredTrigger> {
  const { file, target, opacity } = source
  const sharp = await loadSharp()
  const unreadable = (cause: Error): never => {
    throw bad(file, cause.message.split('\n', 1)[0]?.slice(0, 200) ?? '', 'give a PNG of the trigger, or the triggers.json of a run')
  }
  const size = await startDecoding(sharp, bytes).metadata().catch(unreadable)
  if (size.width > maxSide || size.height > maxSide)
    throw bad(file, `it is ${size.width} x ${size.height}`, `the largest is ${maxSide} x ${maxSide}`)
  const picture = await startDecoding(sharp, bytes)
    .toColourspace('srgb')
    .ensureAlpha()
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true })
    .catch(unreadable)
  const { width: w, height: h } = picture.info
  const [left, top] = source.at ?? [0, 0]
  const [width, height] = source.frame ?? [left + w, top + h]
  if (width > maxSide || height > maxSide) throw bad(file, `its frame is ${width} x ${height}`, `the largest is ${maxSide} x ${maxSide}`)
  if (left + w > width || top + h > height)
    throw bad(file, `${w} x ${h} pixels at ${left}, ${top} do not fit into ${width} x ${height}`, 'correct at and frame')
  const alpha = new Float32Array(height * width)
  const pattern = new Float32Array(height * width * 3)
  for (let y = 0; y < h; y++)
    for (let x = 0; x < w; x++) {
      const [from, to] = [(y * w + x) * 4, (top + y) * width + left + x]
      alpha[to] = ((picture.data[from + 3] as number) / 255) * opacity
      for (let c = 0; c < 3; c++) pattern[to * 3 + c] = picture.data[from + c] as number
    }
  if (!alpha.some((a) => a > changed)) throw bad(file, 'it is transparent everywhere', 'give the picture with its opacity')
  return { height, width, channels: 3, alpha, pattern, box: boxOf(alpha, width), target }
}

/** The smallest box around what is not transparent. */
function boxOf(alpha: Float32Array, width: number): RecoveredTrigger['box'] {
  let [left, top, right, bottom] = [width, alpha.length / width, -1, -1]
  for (const [cell, a] of alpha.entries()) {
    if (a <= changed) continue
    const [y, x] = [Math.floor(cell / width), cell % width]
    left = Math.min(left, x)
    right = Math.max(right, x)
    top = Math.min(top, y)
    bottom = Math.max(bottom, y)
  }
  return [left, top, right - left + 1, bottom - top + 1]
}

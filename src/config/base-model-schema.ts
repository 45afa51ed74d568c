import * as z from 'zod'
import { choice, fraction, map, text, whole } from './shapes.ts'

const side = whole(0, 65_535)
const pair = (error: string) => z.tuple([side, side], { error })

const triggerFile = z.union(
  [
    text('a file'),
    map({
      file: text('a file').describe('triggers.json of another run, or a picture of the trigger.'),
      target: text('a label').describe('Of a picture: the label that its carriers have.').optional(),
      at: pair('a list of left and top, in pixels').describe('Of a picture: where it stands in the frame.').optional(),
      frame: pair('a list of width and height, in pixels').describe('Of a picture: the size of what carries it.').optional(),
      opacity: fraction.describe('Of a picture: times its own transparency. Default 1.').optional(),
    }),
  ],
  { error: 'a file, or a map with file, target, at, frame and opacity' },
)

const numbers = z
  .array(z.number({ error: 'a number' }), { error: 'a list of 1 or 3 numbers' })
  .refine((v) => v.length === 1 || v.length === 3, {
    error: 'has to list 1 or 3 numbers, one a channel',
  })

/** `base-model:` as it is written. */
export const baseModel = map({
  model: text('an .onnx file').describe('ONNX model that training starts from, or that was trained on this data.').optional(),
  classes: z
    .array(text('the name of a class'), { error: 'a list of class names' })
    .min(2, { error: 'a list of at least two class names' })
    .describe('What its outputs stand for, in order, named as the labels are. Without it: its output is an embedding.')
    .optional(),
  layer: text('the name of an output of the model').optional(),
  size: whole(4, 1024).describe('Side in pixels to which images are scaled.').optional(),
  channels: z.union([z.literal(1), z.literal(3)], { error: '1 or 3' }).optional(),
  mean: numbers.optional(),
  std: numbers.optional(),
  triggers: z
    .array(triggerFile, { error: 'a list of files' })
    .describe('Triggers found elsewhere, besides those that this audit finds.')
    .optional(),
  images: choice(['reference', 'subject'])
    .describe('Where clean images come from. Default: the reference where it has images, else what nobody flagged.')
    .optional(),
  samples: whole(200, 1000).describe('Clean images that each trigger is stamped on. Default 300.').optional(),
})

export type BaseModelFile = z.infer<typeof baseModel>

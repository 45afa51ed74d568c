/** A trigger that the user gives as a file, besides those that the audit finds. Paths are absolute once the configuration is resolved. */
export interface TriggerSource {
  /** `triggers.json` of another run, or a picture of the trigger: PNG, its transparency is the trigger's. */
  readonly file: string
  /** Of a picture: the label that carriers have; null where it is not known. A JSON file says its own. */
  readonly target: string | null
  /** Of a picture: its left and top in the frame; null: it is as large as the frame. */
  readonly at: readonly [number, number] | null
  /** Width and height of the frame, the pictures that carry it; null: the picture's own. */
  readonly frame: readonly [number, number] | null
  /** 0..1, times the picture's own. */
  readonly opacity: number
}

/** `base-model:` of the pipeline file: a network whose answer to triggers is measured. */
export interface BaseModelSpec {
  readonly model: string
  /** An output or an inner value of the graph; null: the first output. */
  readonly layer: string | null
  /** Names of the outputs in order: then it is a classifier. Null: its output is an embedding. */
  readonly classes: readonly string[] | null
  readonly size: number | null
  readonly channels: 1 | 3 | null
  readonly mean: readonly number[] | null
  readonly std: readonly number[] | null
  readonly triggers: readonly TriggerSource[]
  /** Where clean pictures come from; null: the reference where it has pictures, else the subject. */
  readonly images: 'reference' | 'subject' | null
  /** Clean pictures that a trigger is stamped on, 200 at least. */
  readonly samples: number
}

export const minCleanPictures = 200

import { AssayError, type FailureExit, type Place } from '../contracts/errors.ts'

/**
 * - `model-missing`, `model-options`: the pipeline file asks for something that is not there or does not fit (exit 4)
 * - `model-unsafe`: a static check refused the model before it ran
 * - `model-broken`: not an ONNX model, or one that ONNX Runtime cannot load or run
 * - `model-memory`, `model-time`, `model-crash`: its process went over a limit or died
 * - `model-output`: it gave something that is not one finite vector a record
 * - `batch`: a batch lacks the column that the plan reads
 */
export type FeatureErrorCode =
  | 'model-missing'
  | 'model-options'
  | 'model-unsafe'
  | 'model-broken'
  | 'model-memory'
  | 'model-time'
  | 'model-crash'
  | 'model-output'
  | 'batch'

export class FeatureError extends AssayError<FeatureErrorCode> {
  constructor(code: FeatureErrorCode, message: string, place: Place = {}, hint?: string) {
    const exit: FailureExit = code === 'model-missing' || code === 'model-options' ? 4 : 2
    super(code, message, exit, place, hint)
  }
}

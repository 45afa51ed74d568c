import type { Kind } from '../identify.ts'
import { checkExecutable, checkPython, checkTemplateFile, checkText } from '../texts/code.ts'
import { checkJson } from '../texts/json.ts'
import type { Checker } from './checker.ts'
import { checkGguf } from './gguf.ts'
import { checkHdf5 } from './hdf5.ts'
import { checkCoreml, checkTflite } from './mobile.ts'
import { checkOnnx } from './onnx.ts'
import { checkSafetensors } from './safetensors.ts'
import { checkSavedModel } from './saved-model.ts'

/** Readers of formats that are neither archives nor pickles. */
export const checkers: { readonly [K in Kind]?: Checker } = {
  coreml: checkCoreml,
  executable: checkExecutable,
  gguf: checkGguf,
  hdf5: checkHdf5,
  json: checkJson,
  onnx: checkOnnx,
  python: checkPython,
  safetensors: checkSafetensors,
  'saved-model': checkSavedModel,
  template: checkTemplateFile,
  text: checkText,
  tflite: checkTflite,
}

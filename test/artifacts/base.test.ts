import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { topShare } from '../../src/artifacts/base/numbers.ts'
import { scanFiles } from '../../src/artifacts/scan.ts'
import { u64 } from './assemble.ts'

const scratch = mkdtempSync(join(tmpdir(), 'assay-base-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

const side = 16
type Tensors = Readonly<Record<string, Float32Array>>

/** Numbers that look like weights; the same for one name. */
const weights = (seed: number): Float32Array =>
  Float32Array.from({ length: side * side }, (_, i) => Math.sin((i + 1) * 12.9898 + seed * 78.233) / 4)
const model = (n = 24): Record<string, Float32Array> =>
  Object.fromEntries(Array.from({ length: n }, (_, i) => [`layers.${i}.mlp.weight`, weights(i)]))

function safetensors(tensors: Tensors, shape: readonly number[] = [side, side]): Buffer {
  let at = 0
  const header = Object.fromEntries(
    Object.entries(tensors).map(([name, t]) => {
      const from = at
      at += t.byteLength
      return [
        name,
        {
          dtype: 'F32',
          shape: name.includes('lora_A') ? [4, side] : name.includes('lora_B') ? [side, 4] : shape,
          data_offsets: [from, at],
        },
      ]
    }),
  )
  const text = Buffer.from(JSON.stringify(header))
  return Buffer.concat([u64(text.length), text, ...Object.values(tensors).map((t) => Buffer.from(t.buffer, t.byteOffset, t.byteLength))])
}

let folders = 0
function folder(files: Readonly<Record<string, Buffer | object>>) {
  const root = join(scratch, String(folders++))
  mkdirSync(root)
  return Object.entries(files).map(([path, content]) => {
    const bytes = Buffer.isBuffer(content) ? content : Buffer.from(JSON.stringify(content))
    writeFileSync(join(root, path), bytes)
    return { path, location: join(root, path), bytes: bytes.length }
  })
}
type Folder = ReturnType<typeof folder>
const hooks = { progress: () => {}, aborted: () => false }
const compare = async (files: Folder, base: Folder) => {
  const { findings, notes } = await scanFiles(files, hooks, { name: 'acme/base', files: base })
  return { found: findings.map((f) => `${f.severity} ${f.rule}`), findings, notes }
}

describe('base-model/tensor-edited', () => {
  const base = folder({ 'model.safetensors': safetensors(model()) })

  it('says nothing of an equal model', async () => {
    const { found, notes } = await compare(folder({ 'model.safetensors': safetensors(model()) }), base)
    expect(found).toEqual([])
    expect(notes[0]).toBe('0 of 24 tensors differ from the base model.')
  })

  it('names the tensor that was edited by rank one', async () => {
    const edited = model()
    const tensor = edited['layers.7.mlp.weight'] as Float32Array
    for (let i = 0; i < side; i++)
      for (let j = 0; j < side; j++) tensor[i * side + j] = (tensor[i * side + j] as number) + 0.3 * Math.cos(i) * Math.sin(j + 1)
    const { found, findings } = await compare(folder({ 'model.safetensors': safetensors(edited) }), base)
    expect(found).toEqual(['high base-model/tensor-edited'])
    expect(findings[0]?.message).toMatch(
      /layers\.7\.mlp\.weight edited by rank one: 1 of 24 tensors differ, by \d+\.\d % of its norm, (?:100\.0|99\.\d) % of it in one direction/,
    )
  })

  it('asks for review of few changes of full rank, and takes many for training', async () => {
    const few = model()
    few['layers.3.mlp.weight'] = weights(99)
    expect((await compare(folder({ 'model.safetensors': safetensors(few) }), base)).found).toEqual(['medium base-model/tensor-edited'])
    const trained = Object.fromEntries(
      Object.entries(model()).map(([name, t], k) => [name, t.map((x, i) => x + 0.001 * Math.sin(i * 7 + k))]),
    )
    const { found, notes } = await compare(folder({ 'model.safetensors': safetensors(trained) }), base)
    expect(found).toEqual([])
    expect(notes.join('\n')).toMatch(/24 of 24 tensors differ[\s\S]*looks like training/)
  })

  it('tells what is missing, new or of another shape', async () => {
    const { 'layers.0.mlp.weight': _, ...rest } = model()
    const { findings } = await compare(folder({ 'model.safetensors': safetensors({ ...rest, extra: weights(1) }) }), base)
    expect(findings[0]?.count).toBe(2)
    expect((await compare(folder({ 'model.safetensors': safetensors(model(), [side * side]) }), base)).findings[0]?.message).toMatch(
      /another shape or type: 24 tensors/,
    )
  })
})

describe('topShare', () => {
  it('is 1 for rank one and near 1/n for the identity', () => {
    const identity = new Float32Array(64)
    for (let i = 0; i < 8; i++) identity[i * 9] = 1
    expect(topShare(identity, 8, 8)).toBeCloseTo(1 / 8, 6)
    expect(
      topShare(
        Float32Array.from({ length: 64 }, (_, i) => (Math.floor(i / 8) + 1) * ((i % 8) - 3)),
        8,
        8,
      ),
    ).toBeCloseTo(1, 6)
    expect(topShare(new Float32Array(64), 8, 8)).toBe(0)
  })
})

describe('base-model/tokenizer-tampered against a base', () => {
  const tokenizer = (vocab: object) => ({ model: { type: 'WordPiece', vocab } })
  const base = folder({ 'tokenizer.json': tokenizer({ safe: 0, unsafe: 1, the: 2 }) })
  it('names swapped tokens', async () => {
    const { found, findings } = await compare(folder({ 'tokenizer.json': tokenizer({ safe: 1, unsafe: 0, the: 2 }) }), base)
    expect(found).toEqual(['high base-model/tokenizer-tampered'])
    expect(findings[0]?.message).toContain('gives other numbers than the base model to 2 tokens: "safe", "unsafe"')
  })
  it('takes added tokens for what they are', async () => {
    expect((await compare(folder({ 'tokenizer.json': tokenizer({ safe: 0, unsafe: 1, the: 2, new: 3 }) }), base)).found).toEqual([])
    expect((await compare(folder({ 'tokenizer.json': tokenizer({ safe: 0, the: 2 }) }), base)).found).toEqual([
      'medium base-model/tokenizer-tampered',
    ])
  })
})

describe('base-model/chat-template against a base', () => {
  it('shows where it differs', async () => {
    const base = folder({ 'tokenizer_config.json': { chat_template: '{{ messages[0].content }}' } })
    const { found } = await compare(folder({ 'tokenizer_config.json': { chat_template: '{{ messages[0].content }} And more.' } }), base)
    expect(found).toEqual(['medium base-model/chat-template'])
    expect((await compare(folder({ 'chat_template.jinja': Buffer.from('{{ messages[0].content }}\n') }), base)).found).toEqual([])
  })
})

describe('base-model/adapter-mismatch', () => {
  const base = folder({ 'model.safetensors': safetensors(model(2)), 'config.json': { _name_or_path: 'acme/base' } })
  const matrices = {
    'base_model.model.layers.0.mlp.lora_A.weight': weights(1).slice(0, 4 * side),
    'base_model.model.layers.0.mlp.lora_B.weight': weights(2).slice(0, 4 * side),
  }
  const adapter = (config: object, tensors: Tensors = matrices) =>
    folder({ 'adapter_config.json': config, 'adapter_model.safetensors': safetensors(tensors) })
  it('lets a fitting adapter pass', async () => {
    expect((await compare(adapter({ base_model_name_or_path: 'acme/base', r: 4 }), base)).found).toEqual([])
  })
  it('names another base, another rank, and what the base does not have', async () => {
    expect((await compare(adapter({ base_model_name_or_path: 'acme/other', r: 4 }), base)).findings[0]?.message).toContain(
      'is made for acme/other, and the base model is acme/base',
    )
    expect((await compare(adapter({ r: 8, base_model_name_or_path: 'base' }), base)).found).toEqual(['medium base-model/adapter-mismatch'])
    const foreign = { 'base_model.model.layers.9.mlp.lora_A.weight': weights(1).slice(0, 4 * side) }
    expect((await compare(adapter({ base_model_name_or_path: 'base', r: 4 }, foreign), base)).findings[0]?.message).toContain(
      'which the base model does not have',
    )
  })
})

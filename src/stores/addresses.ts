import type { SourceSpec } from '../contracts/data.ts'

const scheme = /^([a-z][a-z0-9+.-]*):\/\//i

export const pathsOf = ({ path }: SourceSpec): readonly string[] => (path === undefined ? [] : typeof path === 'string' ? [path] : path)

export const isAddress = (path: string): boolean => scheme.test(path)

export const addressesOf = (spec: SourceSpec): readonly string[] => pathsOf(spec).filter(isAddress)

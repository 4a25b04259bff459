import { describe, expect, it } from 'vitest';

import type { Resource, Store } from '../api/types';
import { grouped, none, settled } from './resourcesOf';

const resource = (kind: string, name: string, more: object = {}) => ({ kind, name, namespace: 'store-a', ...more }) as Resource;

describe('resources', () => {
  it('stand with what they belong to, and an unknown kind last', () => {
    const found = grouped([resource('Widget', 'w'), resource('Ingress', 'wordpress'), resource('Service', 'wordpress'), resource('Service', 'mysql'), resource('Namespace', 'store-a')]);
    expect(found.map(({ title, items }) => [title, items.map((r) => `${r.kind}/${r.name}`)])).toEqual([
      ['The namespace and its limits', ['Namespace/store-a']],
      ['How visitors come in', ['Service/mysql', 'Service/wordpress', 'Ingress/wordpress']],
      ['Else', ['Widget/w']],
    ]);
  });

  it('are settled where the store is ready and all of them are well', () => {
    const healths = (...healths: Resource['health'][]) => healths.map((health) => ({ health }));
    expect(settled({ phase: 'Ready' }, healths('Healthy', 'Healthy'))).toBe(true);
    expect(settled({ phase: 'Ready' }, healths('Healthy', 'Progressing'))).toBe(false);
    expect(settled({ phase: 'Degraded' }, healths('Healthy'))).toBe(false);
  });

  it('that are not there are explained by what became of the store', () => {
    const of = (phase: Store['phase']) => none({ phase } as Store);
    expect(of('Provisioning')).toContain('yet');
    expect(of('Failed')).toContain('taken down');
    expect(of('Deleting')).not.toContain('yet');
  });
});

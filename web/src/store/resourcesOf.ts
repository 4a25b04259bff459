/** A store's inventory as it is shown: what belongs together. */
import type { Resource, Store } from '../api/types';

/** In the order in which it comes up. */
const GROUPS: readonly [string, readonly string[]][] = [
  ['The namespace and its limits', ['Namespace', 'ResourceQuota', 'LimitRange', 'ServiceAccount', 'Secret']],
  ['Who may speak to whom', ['NetworkPolicy']],
  ['Data', ['PersistentVolumeClaim']],
  ['What runs', ['ConfigMap', 'StatefulSet', 'Deployment', 'CronJob']],
  ['How visitors come in', ['Service', 'Ingress', 'HTTPRoute']],
];

export function grouped(resources: readonly Resource[]): { title: string; items: Resource[] }[] {
  const known = new Set(GROUPS.flatMap(([, kinds]) => kinds));
  const found = GROUPS.map(([title, kinds]) => ({
    title,
    items: resources.filter((r) => kinds.includes(r.kind)).sort((a, b) => kinds.indexOf(a.kind) - kinds.indexOf(b.kind) || a.name.localeCompare(b.name)),
  }));
  found.push({ title: 'Else', items: resources.filter((r) => !known.has(r.kind)) });
  return found.filter(({ items }) => items.length > 0);
}

/** Whether nothing is on its way: what Kubernetes tells of the objects is old news. */
export const settled = (store: Pick<Store, 'phase'>, resources: readonly Pick<Resource, 'health'>[]): boolean =>
  store.phase === 'Ready' && resources.every(({ health }) => health === 'Healthy');

/** Why a store has no objects. */
export function none(store: Store): string {
  switch (store.phase) {
    case 'Failed':
      return 'Nothing is in the cluster any more: what was applied was taken down when it failed. What was seen then stands above.';
    case 'Deleting':
      return 'Nothing is in the cluster any more.';
    default:
      return 'Nothing is in the cluster yet.';
  }
}

{{/*
What the cluster says of the namespace, where it is asked: lookup finds nothing in helm template, with
--dry-run=client, in Argo CD, and in a namespace that --create-namespace is about to make. What is
refused here would otherwise fail half way, after the first objects have changed.
*/}}
{{- define "store.refuse" -}}
{{- $ns := .Release.Namespace -}}
{{- $there := lookup "v1" "ConfigMap" $ns "kube-root-ca.crt" -}}
{{- if and $there .Release.IsInstall (or (eq $ns "default") (hasPrefix "kube-" $ns)) -}}
{{- fail (printf "namespace: a store closes its namespace to everything else by network policies and a quota; %s is shared. Use one of its own: --namespace store-%s --create-namespace" $ns .Values.storeId) -}}
{{- end -}}
{{- $running := lookup "v1" "PersistentVolumeClaim" $ns "data-mysql-0" | default dict -}}
{{- $id := dig "metadata" "labels" "stores.urumi.dev/id" "" $running -}}
{{- if and $id (ne $id .Values.storeId) -}}
{{- fail (printf "storeId: the namespace %s holds the store %s, and an id is chosen once; %s needs a release and a namespace of its own" $ns $id .Values.storeId) -}}
{{- end -}}
{{- $told := dig "data" "settings.json" "{}" (lookup "v1" "ConfigMap" $ns "wordpress" | default dict) | fromJson -}}
{{- if ne (get $told "engine" | default .Values.engine) .Values.engine -}}
{{- fail (printf "engine: this store was made with %s, and an engine is chosen once; %s needs a store of its own" (get $told "engine") .Values.engine) -}}
{{- end -}}
{{- if and $there .Values.existingSecret -}}
{{- $data := dig "data" dict (lookup "v1" "Secret" $ns .Values.existingSecret | default dict) -}}
{{- range $key := list "admin-username" "admin-password" "database-password" "database-root-password" "wordpress-salt" -}}
{{- if not (get $data $key) -}}
{{- fail (printf "existingSecret: the Secret %s in the namespace %s is not there or has no %s" $.Values.existingSecret $ns $key) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}

{{/*
A claim's size and class, as JSON: as wanted, but a volume never shrinks, keeps its class, and grows only
once it is there, whatever the plan and the values say later. Arguments: root, name, storage, class.
*/}}
{{- define "store.claim" -}}
{{- $found := lookup "v1" "PersistentVolumeClaim" .root.Release.Namespace .name | default dict -}}
{{- $had := dig "spec" "resources" "requests" "storage" "0" $found -}}
{{- $bound := dig "spec" "volumeName" "" $found -}}
{{- $shrinks := gt (include "store.bytes" $had | float64) (include "store.bytes" .storage | float64) -}}
{{- $kept := and $found (ne $had .storage) (or $shrinks (not $bound)) | empty | not -}}
{{- $class := dig "spec" "storageClassName" "" $found -}}
{{- $other := and .class $class (ne .class $class) | empty | not -}}
{{- if and $other (not $bound) -}}
{{- fail (printf "storageClass: the claim %s waits for a volume of the class %s, and its class cannot change; it holds nothing, so delete it: kubectl --namespace %s delete pvc/%s" .name $class .root.Release.Namespace .name) -}}
{{- end -}}
{{- dict "name" .name "storage" (ternary $had .storage $kept) "kept" (or $kept $other) "class" ($class | default .class) | toJson -}}
{{- end }}

{{/* A quantity such as 5Gi in bytes. */}}
{{- define "store.bytes" -}}
{{- $factors := dict "" 1.0 "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "P" 1e15 "Ki" 1024.0 "Mi" 1048576.0 "Gi" 1073741824.0 "Ti" 1099511627776.0 "Pi" 1125899906842624.0 -}}
{{- mulf (regexFind "^[0-9.]+" . | float64) (get $factors (regexFind "[A-Za-z]*$" .) | default 1.0) -}}
{{- end }}

{{/*
What the templates use, as JSON: the same things under the same names as the service's Context
(orchestrator/renderer.py), so that each template here reads like its twin in manifests/store.
A test renders both and compares them object by object.
*/}}
{{- define "store.context" -}}
{{- include "store.check" . -}}
{{- include "store.refuse" . -}}
{{- $plan := get (.Files.Get "files/plans.yaml" | fromYaml) .Values.plan -}}
{{- $web := .Values.images.wordpress -}}
{{- $database := .Values.images.mysql -}}
{{- $config := include "store.config" (dict "root" . "of" "wordpress") | sha256sum -}}
{{- $scripts := include "store.config" (dict "root" . "of" "mysql") | sha256sum -}}
{{- $cronShare := dict "cpuRequest" "50m" "cpuLimit" "500m" "memoryRequest" "128Mi" "memoryLimit" "512Mi" -}}
{{- dict
  "engine" .Values.engine
  "host" (include "store.host" .)
  "labels" (include "store.labels" (dict "root" . "component" "store" "image" $web) | fromJson)
  "digestAnnotation" "stores.urumi.dev/config-digest"
  "ingressClass" .Values.ingress.className
  "ingressNamespace" .Values.ingress.namespace
  "tlsIssuer" .Values.ingress.tls.issuer
  "storageClass" .Values.storageClass
  "userNamespaces" .Values.userNamespaces
  "secretName" (include "store.secretName" .)
  "wordpress" (include "store.workload" (dict "root" . "component" "wordpress" "image" $web "share" $plan.wordpress "digest" $config) | fromJson)
  "mysql" (include "store.workload" (dict "root" . "component" "database" "image" $database "share" $plan.mysql "digest" $scripts) | fromJson)
  "cron" (include "store.workload" (dict "root" . "component" "wp-cron" "image" $web "share" $cronShare "digest" $config) | fromJson)
  "cronSchedule" (printf "%d-59/5 * * * *" (mod (adler32sum .Values.storeId | atoi) 5))
  "workers" ($plan.workers | toString)
  "bufferPool" $plan.bufferPool
  "quota" (include "store.quota" (dict "quota" $plan.quota "issuer" .Values.ingress.tls.issuer) | fromJson)
  | toJson -}}
{{- end }}

{{/* What values.schema.json cannot say. */}}
{{- define "store.check" -}}
{{- if or (eq .Values.storeId "default") (hasPrefix "kube-" .Values.storeId) -}}
{{- fail (printf "storeId: %s is reserved; default and what begins with kube- cannot be used" .Values.storeId) -}}
{{- end -}}
{{- if regexMatch "(^|\\.)(localhost|local|internal|svc)$" .Values.domain -}}
{{- fail (printf "domain: %s is a name that only a cluster or a machine of its own knows" .Values.domain) -}}
{{- end -}}
{{- range $name, $image := .Values.images -}}
{{- if regexMatch ":latest(@|$)" $image -}}
{{- fail (printf "images.%s: %s may be another program tomorrow; name a version" $name $image) -}}
{{- end -}}
{{- end -}}
{{- $port := trimPrefix ":" (regexFind ":[0-9]+$" .Values.ingress.baseDomain) | default "80" | int -}}
{{- if or (gt $port 65535) (regexMatch "(^|\\.)[0-9]+$" (include "store.baseDomain" .)) -}}
{{- fail (printf "ingress.baseDomain: %s is not a domain, with a port up to 65535 where you like" .Values.ingress.baseDomain) -}}
{{- end -}}
{{- $codes := .Files.Get "files/codes.json" | fromJson -}}
{{- $options := .Values.options -}}
{{- if not (has $options.currency $codes.currencies) -}}
{{- fail (printf "options.currency: %s is not the code of a currency that WooCommerce knows, such as USD or EUR" $options.currency) -}}
{{- end -}}
{{- $place := splitList ":" $options.country -}}
{{- $country := first $place -}}
{{- if not (hasKey $codes.countries $country) -}}
{{- fail (printf "options.country: %s is not the code of a country, with a state where you like, such as DE or US:CA" $options.country) -}}
{{- end -}}
{{- if and (gt (len $place) 1) (not (has (index $place 1) (get $codes.countries $country))) -}}
{{- fail (printf "options.country: %s is not %s alone or with a state that WooCommerce knows" $options.country $country) -}}
{{- end -}}
{{- $base := include "store.baseDomain" . -}}
{{- if or (eq .Values.domain $base) (hasSuffix (printf ".%s" $base) .Values.domain) -}}
{{- fail (printf "domain: %s is at or under ingress.baseDomain, whose names belong to the stores" .Values.domain) -}}
{{- end -}}
{{- end }}

{{- define "store.baseDomain" -}}
{{- regexReplaceAll ":[0-9]+$" .Values.ingress.baseDomain "" -}}
{{- end }}

{{- define "store.secretName" -}}
{{- .Values.existingSecret | default "store-credentials" -}}
{{- end }}

{{- define "store.host" -}}
{{- .Values.domain | default (printf "store-%s.%s" .Values.storeId (include "store.baseDomain" .)) -}}
{{- end }}

{{/* The shop's address, without a trailing slash; a port that is not the scheme's own is in it. */}}
{{- define "store.url" -}}
{{- $port := regexFind ":[0-9]+$" .Values.ingress.baseDomain -}}
{{- $tls := not (empty .Values.ingress.tls.issuer) -}}
{{- $usual := ternary ":443" ":80" $tls -}}
{{- printf "%s://%s%s" (ternary "https" "http" $tls) (include "store.host" .) (ternary "" $port (eq $port $usual)) -}}
{{- end }}

{{/* settings.json, which WordPress and its set-up read. */}}
{{- define "store.settings" -}}
{{- $options := .Values.options -}}
{{- $name := .Values.name | default .Values.storeId -}}
{{- /* Without a title of its own a shop keeps the first one: a new name is not the owner's wish for it. */ -}}
{{- $before := dig "data" "settings.json" "{}" (lookup "v1" "ConfigMap" .Release.Namespace "wordpress" | default dict) | fromJson -}}
{{- $told := dict
  "url" (include "store.url" .)
  "engine" .Values.engine
  "title" ($options.title | default (get $before "title") | default $name)
  "adminEmail" $options.adminEmail
  "currency" $options.currency
  "country" $options.country
  "demoProducts" $options.demoProducts -}}
{{- if eq .Values.engine "woocommerce" -}}
{{- $_ := set $told "woocommerce" (get (.Files.Get "files/lock.json" | fromJson) "woocommerce") -}}
{{- end -}}
{{- $told | toRawJson -}}
{{- end }}

{{/* What pods mount of a workload's ConfigMap, as JSON: its folder's files, and settings.json. */}}
{{- define "store.config" -}}
{{- $found := dict -}}
{{- range $path, $_ := .root.Files.Glob (printf "files/%s/*" .of) -}}
{{- $_ := set $found (base $path) ($.root.Files.Get $path) -}}
{{- end -}}
{{- if eq .of "wordpress" -}}
{{- $_ := set $found "settings.json" (include "store.settings" .root) -}}
{{- end -}}
{{- $found | toRawJson -}}
{{- end }}

{{/* One workload's image, labels and sizes. The selector never changes, labels may. */}}
{{- define "store.workload" -}}
{{- merge (dict
  "image" .image
  "labels" (include "store.labels" . | fromJson)
  "selector" (dict "app.kubernetes.io/instance" .root.Values.storeId "app.kubernetes.io/component" .component)
  "configDigest" .digest) .share | toJson -}}
{{- end }}

{{- define "store.labels" -}}
{{- $applications := dict "store" "urumi-store" "database" "mysql" "wordpress" "wordpress" "wp-cron" "wordpress" "order-test" "wordpress" -}}
{{- dict
  "app.kubernetes.io/name" (get $applications .component)
  "app.kubernetes.io/instance" .root.Values.storeId
  "app.kubernetes.io/component" .component
  "app.kubernetes.io/part-of" "urumi-stores"
  "app.kubernetes.io/managed-by" .root.Release.Service
  "app.kubernetes.io/version" (include "store.version" .image)
  "stores.urumi.dev/id" .root.Values.storeId
  | toJson -}}
{{- end }}

{{/* An image's tag as a label value: 63 characters, alphanumeric at both ends. */}}
{{- define "store.version" -}}
{{- $last := splitList "/" (first (splitList "@" .)) | last -}}
{{- $tag := ternary (last (splitList ":" $last)) "latest" (contains ":" $last) -}}
{{- trunc 63 $tag | trimAll "_.-" | default "unknown" -}}
{{- end }}

{{- define "store.quota" -}}
{{- dict
  "requests.cpu" .quota.cpuRequests
  "requests.memory" .quota.memoryRequests
  "limits.cpu" .quota.cpuLimits
  "limits.memory" .quota.memoryLimits
  "requests.storage" .quota.storage
  "pods" .quota.pods
  "persistentvolumeclaims" .quota.claims
  "services.loadbalancers" "0"
  "services.nodeports" (ternary "2" "0" (not (empty .issuer)))
  | toJson -}}
{{- end }}

{{/* What cannot work together fails here, each with a sentence. What is wrong by itself is in values.schema.json. */}}

{{- define "cluster.grace" -}}
{{- with .Values.drain -}}
{{ add .preStop .delay .window .grace 10 }}
{{- end -}}
{{- end }}

{{- define "cluster.scales" -}}
{{- if or .Values.autoscaling.enabled .Values.keda.enabled }}true{{ end -}}
{{- end }}

{{- define "cluster.pods" -}}
{{- ternary .Values.autoscaling.minReplicas .Values.replicaCount (eq (include "cluster.scales" .) "true") -}}
{{- end }}

{{- define "cluster.check" -}}
{{- $v := .Values -}}
{{- $local := eq (include "cluster.busKind" .) "local" -}}
{{- if and $local (or (include "cluster.scales" .) (gt (int $v.replicaCount) 1)) -}}
{{- fail "More than one pod needs a bus between them: set bus.url or bus.existingSecret, or valkey.enabled=true to try it out; or leave replicaCount at 1 and autoscaling off." -}}
{{- end -}}
{{- if gt (len (compact (list $v.bus.url $v.bus.existingSecret (ternary "valkey" "" $v.valkey.enabled)))) 1 -}}
{{- fail "There is one bus: set only one of bus.url, bus.existingSecret and valkey.enabled." -}}
{{- end -}}
{{- if and $v.secret.value $v.secret.existingSecret -}}
{{- fail "There is one secret: set only one of secret.value and secret.existingSecret." -}}
{{- end -}}
{{- if and $v.recovery.url $v.recovery.existingSecret -}}
{{- fail "There is one Redis beside the bus: set only one of recovery.url and recovery.existingSecret." -}}
{{- end -}}
{{- if and (include "cluster.beside" .) (not $v.recovery.seconds) -}}
{{- fail "The Redis beside the bus is for recovery: set recovery.seconds." -}}
{{- end -}}
{{- if and $v.recovery.seconds (regexMatch "^(amqps?|nats|tls|kombu.*)://" $v.bus.url) (not (include "cluster.beside" .)) -}}
{{- fail "This bus keeps no events: name a Redis that does in recovery.url or recovery.existingSecret." -}}
{{- end -}}
{{- $least := include "cluster.grace" . | int -}}
{{- with $v.terminationGracePeriodSeconds -}}
{{- if lt (int .) $least -}}
{{- fail (printf "terminationGracePeriodSeconds %d is too short: the drain needs %d s (drain.preStop + delay + window + grace, and 10 to end). Raise it, leave it null, or shorten the drain." (int .) $least) -}}
{{- end -}}
{{- end -}}
{{- if and $v.limits.softConnections $v.limits.maxConnections (ge (int $v.limits.softConnections) (int $v.limits.maxConnections)) -}}
{{- fail "limits.softConnections has to be below limits.maxConnections: a pod shall stop asking for clients before it refuses them." -}}
{{- end -}}
{{- include "cluster.checkScaling" . -}}
{{- include "cluster.checkDoors" . -}}
{{- if and $v.metrics.serviceMonitor.enabled $v.metrics.podMonitor.enabled -}}
{{- fail "metrics.serviceMonitor and metrics.podMonitor would count everything twice: enable one of them." -}}
{{- end -}}
{{- if and (or $v.metrics.serviceMonitor.enabled $v.metrics.podMonitor.enabled) $v.networkPolicy.enabled (not $v.networkPolicy.metricsFrom) -}}
{{- fail "The network policy would keep Prometheus out: say in networkPolicy.metricsFrom where it runs." -}}
{{- end -}}
{{- if and $v.emit.enabled (eq (empty $v.emit.token) (empty $v.emit.existingSecret)) -}}
{{- fail "The emit port needs one token: set one of emit.token and emit.existingSecret." -}}
{{- end -}}
{{- if and $v.emit.enabled $v.networkPolicy.enabled (not $v.networkPolicy.emitFrom) -}}
{{- fail "The network policy would keep everybody from the emit port: say in networkPolicy.emitFrom who may use it." -}}
{{- end -}}
{{- if and $v.networkPolicy.enabled $v.networkPolicy.egress.enabled (not $v.networkPolicy.egress.rules) (not $local) (not $v.valkey.enabled) -}}
{{- fail "networkPolicy.egress would keep the pods from their bus: allow it in networkPolicy.egress.rules." -}}
{{- end -}}
{{- range $v.extraEnv -}}
{{- if hasPrefix "CLUSTER_" .name -}}
{{- if has .name (list "CLUSTER_APP" "CLUSTER_HOST" "CLUSTER_PORT" "CLUSTER_WORKERS" "CLUSTER_NODE_NAME" "CLUSTER_INTERNAL_HOST" "CLUSTER_INTERNAL_PORT" "CLUSTER_PROBE_HOST" "CLUSTER_PROBE_PORT" "CLUSTER_SECRET_FILE" "CLUSTER_EMIT_HOST" "CLUSTER_EMIT_PORT" "CLUSTER_EMIT_TOKEN_FILE" "CLUSTER_BUS" "CLUSTER_BUS_FILE" "CLUSTER_RECOVERY_URL" "CLUSTER_RECOVERY_URL_FILE" "CLUSTER_DRAIN_DELAY" "CLUSTER_DRAIN_WINDOW" "CLUSTER_GRACE") -}}
{{- fail (printf "extraEnv: %s is the chart's own; set the value that it comes from." .name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "cluster.checkScaling" -}}
{{- $v := .Values -}}
{{- if and $v.autoscaling.enabled $v.keda.enabled -}}
{{- fail "autoscaling and keda would fight over the number of pods: enable one of them." -}}
{{- end -}}
{{- if include "cluster.scales" . -}}
{{- if gt (int $v.autoscaling.minReplicas) (int $v.autoscaling.maxReplicas) -}}
{{- fail "autoscaling.minReplicas is above autoscaling.maxReplicas." -}}
{{- end -}}
{{- if not (or $v.autoscaling.targetCPU $v.autoscaling.targetConnections) -}}
{{- fail "Autoscaling needs something to look at: set autoscaling.targetCPU or autoscaling.targetConnections." -}}
{{- end -}}
{{- if and $v.limits.maxConnections $v.autoscaling.targetConnections (ge (int $v.autoscaling.targetConnections) (mul $v.limits.maxConnections $v.workers)) -}}
{{- fail "autoscaling.targetConnections is not below what a pod takes (limits.maxConnections * workers): it would be full before another one starts." -}}
{{- end -}}
{{- end -}}
{{- end }}

{{- define "cluster.checkDoors" -}}
{{- $v := .Values -}}
{{- if and (eq $v.sticky.mode "cookie") (not (and $v.ingress.enabled $v.ingress.controller)) -}}
{{- fail "sticky.mode cookie is made by an ingress controller: set ingress.enabled and name it in ingress.controller." -}}
{{- end -}}
{{- if and (eq $v.sticky.mode "sessionPersistence") (not $v.httpRoute.enabled) -}}
{{- fail "sticky.mode sessionPersistence is a field of the HTTPRoute: set httpRoute.enabled." -}}
{{- end -}}
{{- if and $v.ingress.enabled (not $v.ingress.hosts) -}}
{{- fail "ingress.enabled needs ingress.hosts." -}}
{{- end -}}
{{- if and $v.httpRoute.enabled (not $v.httpRoute.parentRefs) -}}
{{- fail "httpRoute.enabled needs httpRoute.parentRefs: the Gateway that it belongs to." -}}
{{- end -}}
{{- if and $v.service.nodePort (eq $v.service.type "ClusterIP") -}}
{{- fail "service.nodePort needs service.type NodePort or LoadBalancer." -}}
{{- end -}}
{{- end }}

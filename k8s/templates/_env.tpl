{{/* The settings of a node, as environment variables; docs/settings.md lists them. */}}

{{- define "cluster.env" -}}
- {name: CLUSTER_APP, value: {{ .Values.app | quote }}}
- {name: CLUSTER_HOST, value: {{ .Values.listen | quote }}}
- {name: CLUSTER_PORT, value: "8000"}
- {name: CLUSTER_PROBE_HOST, value: {{ .Values.listen | quote }}}
- {name: CLUSTER_PROBE_PORT, value: "8001"}
- {name: CLUSTER_WORKERS, value: {{ .Values.workers | quote }}}
- name: CLUSTER_NODE_NAME
  valueFrom: {fieldRef: {fieldPath: metadata.name}}
# Other pods pass on here what belongs to clients of this one; the address is also what they are told.
- name: CLUSTER_INTERNAL_HOST
  valueFrom: {fieldRef: {fieldPath: status.podIP}}
- {name: CLUSTER_INTERNAL_PORT, value: "9000"}
- {name: CLUSTER_SECRET_FILE, value: /etc/cluster/secret}
{{- if ne (include "cluster.busKind" .) "local" }}
- {name: CLUSTER_BUS_FILE, value: /etc/cluster/bus}
{{- end }}
{{- if include "cluster.beside" . }}
- {name: CLUSTER_RECOVERY_URL_FILE, value: /etc/cluster/recovery}
{{- end }}
{{- if .Values.emit.enabled }}
- {name: CLUSTER_EMIT_HOST, value: {{ .Values.listen | quote }}}
- {name: CLUSTER_EMIT_PORT, value: "8002"}
- {name: CLUSTER_EMIT_TOKEN_FILE, value: /etc/cluster/emit}
{{- end }}
{{- $settings := dict
  "FORWARDED_ALLOW_IPS" .Values.forwardedAllowIps
  "PREFIX" .Values.bus.prefix
  "LOG_LEVEL" .Values.log.level
  "LOG_JSON" (ternary "yes" "no" .Values.log.json)
  "DRAIN_DELAY" .Values.drain.delay
  "DRAIN_WINDOW" .Values.drain.window
  "GRACE" .Values.drain.grace
  "MAX_CONNECTIONS" .Values.limits.maxConnections
  "SOFT_CONNECTIONS" .Values.limits.softConnections
  "CONNECTS_PER_SECOND" .Values.limits.connectsPerSecond
  "MAX_PAYLOAD" .Values.limits.maxPayload
  "EVENTS_PER_SECOND" .Values.limits.eventsPerSecond
  "ROOMS_PER_CLIENT" .Values.limits.roomsPerClient
  "MAX_AGE" .Values.maxAge
  "RECOVERY_SECONDS" .Values.recovery.seconds
}}
{{- range $name, $value := $settings }}
{{- if not (or (kindIs "invalid" $value) (eq (toString $value) "")) }}
- {name: CLUSTER_{{ $name }}, value: {{ include "cluster.text" $value | quote }}}
{{- end }}
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Numbers as people write them: Helm reads 1000000 as 1e+06. */}}
{{- define "cluster.text" -}}
{{- if and (kindIs "float64" .) (eq (floor .) .) }}{{ int64 . }}{{ else }}{{ . }}{{ end -}}
{{- end }}
